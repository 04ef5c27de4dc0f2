// Puts the page together: which conversation is open, and what happens between its parts.

import * as api from "./api.js";
import { showAgent, showWelcome } from "./agent-view.js";
import { Composer } from "./composer.js";
import { Conversation } from "./conversation.js";
import { byId, h } from "./dom.js";
import { EventStream } from "./event-stream.js";
import { Names } from "./names.js";
import { follow } from "./scroll.js";
import { askForToken } from "./sign-in.js";
import { SessionList } from "./session-list.js";
import { refreshTimes } from "./time.js";

const REFRESH_MS = 20_000;
const MAX_TITLE = 80;
const REFRESHING = new Set(["message.user", "run.finished", "approval.requested", "approval.decided"]);

const page = { agent: null, sessionId: null, stream: null, conversation: null, list: null, composer: null, opening: 0 };
const scroll = follow(byId("scroller"), byId("conversation"), byId("jump"));

function announce(text) {
  const log = byId("announcements");
  log.append(h("p", {}, text));
  while (log.childElementCount > 20) log.firstChild.remove();
}

function sessionFromAddress() {
  const match = /^#\/sessions\/([^/]+)$/.exec(location.hash);
  return match ? decodeURIComponent(match[1]) : null;
}

async function refreshList() {
  try {
    page.list.show(await api.listSessions(), page.sessionId);
  } catch {
    // The list is a convenience: the stream's state already says that the server is away.
  }
}

async function showConnection(state, id) {
  byId("connection").textContent = state === "lost" ? "Reconnecting…" : "";
  if (state !== "lost") return;
  page.conversation.markGap();
  try {
    await api.getSession(id);
  } catch (error) {
    // Deleted elsewhere: without this the stream would be tried for ever.
    if (error.status === 404 && page.sessionId === id) await recover(error, id);
    if (error.status === 401) location.reload(); // the token holds no longer: the start asks for one
  }
}

function showEmpty() {
  byId("welcome").hidden = page.sessionId !== null && !page.conversation.isEmpty;
}

function apply(event, isLive) {
  page.conversation.apply(event, isLive);
  if (isLive && REFRESHING.has(event.type)) refreshList();
}

/** Opens a conversation, or the empty start page with null. */
async function open(id) {
  const opening = ++page.opening;
  page.stream?.close();
  page.stream = null;
  page.sessionId = id;
  page.conversation.clear();
  page.composer.setRunning(false);
  page.composer.showError(null);
  byId("connection").textContent = "";
  if (id !== null && !(await load(id, opening))) return;
  if (opening !== page.opening) return;
  showEmpty();
  closeSidebar();
  refreshList();
}

async function load(id, opening) {
  let events;
  try {
    events = await api.history(id);
  } catch (error) {
    if (opening === page.opening) await recover(error, id);
    return false;
  }
  if (opening !== page.opening) return false;
  for (const event of events) apply(event, false);
  scroll.toEnd();
  connect(id, events.at(-1)?.seq ?? 0);
  return true;
}

function connect(id, after) {
  page.stream = new EventStream(id, after, {
    onEvent: (event) => {
      apply(event, true);
      showEmpty();
    },
    onState: (state) => showConnection(state, id),
  });
}

async function recover(error, id) {
  if (error.status === 404) {
    history.replaceState(null, "", "#/");
    await open(null);
    page.composer.showError("That conversation does not exist any more.");
    return;
  }
  page.composer.showError(error.message);
  const opening = page.opening;
  setTimeout(() => opening === page.opening && open(id), 3000);
}

function go(id) {
  const address = id === null ? "#/" : `#/sessions/${encodeURIComponent(id)}`;
  if (location.hash === address || (id === null && location.hash === "")) open(id);
  else location.hash = address;
}

async function send(content) {
  if (page.sessionId === null) {
    const title = content.split("\n")[0].slice(0, MAX_TITLE);
    const session = await api.createSession(title);
    page.sessionId = session.id;
    history.replaceState(null, "", `#/sessions/${encodeURIComponent(session.id)}`);
    connect(session.id, 0);
  }
  await api.sendMessage(page.sessionId, content);
  scroll.toEnd();
}

async function stop() {
  try {
    await api.cancelRun(page.sessionId);
  } catch (error) {
    if (error.status !== 409) page.composer.showError(error.message);
  }
}

async function remove(id) {
  try {
    await api.deleteSession(id);
    if (id === page.sessionId) go(null);
  } catch (error) {
    page.composer.showError(error.message);
  }
  refreshList();
}

async function rename(id, title) {
  try {
    await api.renameSession(id, title);
  } catch (error) {
    page.composer.showError(error.message);
  }
  await refreshList();
}

function openSidebar() {
  document.body.classList.add("nav-open");
  byId("menu").setAttribute("aria-expanded", "true");
  byId("new-session").focus();
}

function closeSidebar() {
  if (!document.body.classList.contains("nav-open")) return;
  document.body.classList.remove("nav-open");
  byId("menu").setAttribute("aria-expanded", "false");
  byId("menu").focus();
}

function listen() {
  window.addEventListener("hashchange", () => open(sessionFromAddress()));
  byId("new-session").addEventListener("click", () => {
    go(null);
    page.composer.focus();
  });
  byId("skip").addEventListener("click", (event) => {
    event.preventDefault(); // the address holds the conversation
    byId("message").focus();
  });
  byId("menu").addEventListener("click", openSidebar);
  byId("scrim").addEventListener("click", closeSidebar);
  byId("open-details").addEventListener("click", () => byId("details").showModal());
  byId("details").addEventListener("click", (event) => event.target === byId("details") && byId("details").close());
  document.addEventListener("keydown", (event) => event.key === "Escape" && closeSidebar());
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && refreshList());
  setInterval(() => {
    refreshTimes();
    if (document.visibilityState === "visible") refreshList();
  }, REFRESH_MS);
}

async function start() {
  page.composer = new Composer({ onSend: send, onStop: stop });
  page.list = new SessionList(byId("sessions"), { onOpen: closeSidebar, onRename: rename, onDelete: remove });
  try {
    page.agent = await api.getAgent();
  } catch (error) {
    if (error.status === 401) {
      byId("agent-name").textContent = "Who asks?";
      await askForToken();
      location.reload();
      return;
    }
    byId("agent-name").textContent = "Not reachable";
    page.composer.showError(`${error.message} Trying again…`);
    setTimeout(() => location.reload(), 4000);
    return;
  }
  const names = new Names(page.agent.agents);
  const changed = (isRunning) => page.composer.setRunning(isRunning);
  page.conversation = new Conversation(byId("conversation"), names, {
    pattern: page.agent.pattern, announce, changed,
    decide: (callId, decision, reason) => api.decide(page.sessionId, callId, decision, reason),
  });
  showAgent(page.agent, names);
  showWelcome(page.agent, (text) => page.composer.submit(text));
  listen();
  await open(sessionFromAddress());
  page.composer.focus();
}

start();
