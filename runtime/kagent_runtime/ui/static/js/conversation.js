// Turns the event log of a session into the conversation that is shown. Events in, nodes out: no requests.

import { ApprovalCard } from "./approval-card.js";
import { h, icon, ICONS } from "./dom.js";
import { Draft, messageBody } from "./draft.js";
import { clockTime, duration } from "./time.js";
import { ToolCard } from "./tool-card.js";

export class Conversation {
  /** `root` is the list; `announce` says whole messages to assistive technology; `changed` hears of a new run state,
   *  and `decide(callId, decision, reason)` sends a decision. */
  constructor(root, names, { pattern, announce, changed, decide }) {
    this.root = root;
    this.names = names;
    this.pattern = pattern;
    this.announce = announce;
    this.changed = changed;
    this.decide = decide;
    this.clear();
  }

  clear() {
    this.root.replaceChildren();
    this.turn = null;
    this.drafts = new Map();
    this.cards = new Map();
    this.approvals = new Map();
    this.startedAt = null;
    this.isRunning = false;
    this.isEmpty = true;
    this.working = null;
  }

  /** Applies one event. `isLive` is false for history, which is not announced. */
  apply(event, isLive = true) {
    const handlers = {
      "message.user": () => this.#user(event),
      "run.started": () => this.#started(event),
      "speaker.selected": () => this.#selected(event),
      "message.delta": () => this.#delta(event),
      message: () => this.#message(event, isLive),
      "tool.call": () => this.#toolCall(event),
      "tool.result": () => this.#toolResult(event),
      "approval.requested": () => this.#approvalRequested(event, isLive),
      "approval.decided": () => this.#approvalDecided(event),
      handoff: () => this.#handoff(event),
      notice: () => this.root.append(h("li", { class: "note" }, event.content)),
      "run.finished": () => this.#finished(event, isLive),
    };
    handlers[event.type]?.();
    this.isEmpty = false;
    if (this.working) this.root.append(this.working);
  }

  /** Text is missing from unfinished messages after a dropped connection: mark them until the whole message comes. */
  markGap() {
    for (const draft of this.drafts.values()) draft.markGap();
    this.hasGap = this.isRunning;
  }

  #user(event) {
    this.turn = null;
    this.root.append(h("li", { class: "user" },
      h("span", { class: "hidden" }, "You: "),
      h("div", { class: "user-text" }, event.content),
      h("span", { class: "when" }, clockTime(event.at))));
  }

  #started(event) {
    this.startedAt = event.at;
    this.#setRunning(true);
    this.#showWorking(null);
  }

  #selected(event) {
    // Every pattern selects; only in a Selector team was it a decision worth a line (an orchestrator says it itself).
    if (this.pattern === "Selector" && this.turn?.agent !== event.agent) {
      this.turn = null;
      this.root.append(h("li", { class: "note" }, "The selector chose ", h("strong", {}, this.names.name(event.agent))));
    }
    this.#showWorking(event.agent);
  }

  #delta(event) {
    this.#hideWorking();
    let draft = this.drafts.get(event.messageId);
    if (!draft) {
      draft = new Draft(event.agent, this.hasGap);
      this.hasGap = false;
      this.drafts.set(event.messageId, draft);
      this.#turnOf(event).append(draft.element);
    }
    draft.append(event.content);
  }

  #message(event, isLive) {
    this.#hideWorking();
    this.hasGap = false;
    const body = messageBody(event.output === undefined ? event.content : jsonBlock(event.output));
    const draft = this.drafts.get(event.messageId);
    if (draft) {
      this.drafts.delete(event.messageId);
      draft.finish(body);
    } else {
      this.#turnOf(event).append(body);
    }
    if (isLive) this.announce(`${this.names.name(event.agent)}: ${body.textContent}`);
    if (this.isRunning) this.#showWorking(null);
  }

  #toolCall(event) {
    this.#hideWorking();
    this.#settleDrafts(event.agent);
    const card = new ToolCard(event);
    this.cards.set(event.callId, card);
    this.#turnOf(event).append(card.element);
  }

  #toolResult(event) {
    this.cards.get(event.callId)?.finish(event);
    this.cards.delete(event.callId);
    if (this.isRunning && this.cards.size === 0) this.#showWorking(event.agent);
  }

  #approvalRequested(event, isLive) {
    this.#hideWorking();
    const name = this.names.name(event.agent);
    const card = new ApprovalCard(event, name, (decision, reason) => this.decide(event.callId, decision, reason));
    this.approvals.set(event.callId, card);
    this.cards.get(event.callId)?.setWaiting(true);
    this.#turnOf(event).append(card.element);
    if (isLive) this.announce(`${name} waits for your approval to run ${event.name}`);
  }

  #approvalDecided(event) {
    this.approvals.get(event.callId)?.close(event);
    this.approvals.delete(event.callId);
    this.cards.get(event.callId)?.setWaiting(false);
    if (this.isRunning && this.approvals.size === 0) this.#showWorking(event.agent);
  }

  #handoff(event) {
    this.turn = null;
    this.root.append(h("li", { class: "note handoff", title: event.content },
      h("strong", { class: this.names.colour(event.agent) }, this.names.name(event.agent)),
      icon(ICONS.arrow), h("span", { class: "hidden" }, " hands over to "),
      h("strong", { class: this.names.colour(event.target) }, this.names.name(event.target))));
    if (event.target !== "user") this.#showWorking(event.target);
  }

  #finished(event, isLive) {
    this.#hideWorking();
    this.#settleDrafts();
    for (const card of this.cards.values()) card.abandon();
    this.cards.clear();
    for (const card of this.approvals.values()) card.abandon();
    this.approvals.clear();
    this.turn = null;
    const line = endLine(event, this.startedAt);
    this.root.append(line);
    if (isLive) this.announce(line.textContent);
    this.#setRunning(false);
  }

  /** Streamed text that no message will replace stays as it is. */
  #settleDrafts(agent) {
    for (const [id, draft] of this.drafts) {
      if (agent === undefined || draft.agent === agent) {
        draft.settle();
        this.drafts.delete(id);
      }
    }
  }

  #turnOf(event) {
    if (this.turn?.agent !== event.agent) {
      const body = h("div", { class: "turn-body" });
      this.turn = { agent: event.agent, body };
      this.root.append(h("li", { class: `turn ${this.names.colour(event.agent)}` }, this.#avatar(event.agent), h("div", { class: "turn-main" },
        h("p", { class: "turn-head" }, h("strong", {}, this.names.name(event.agent)), event.at ? clockTime(event.at) : null), body)));
    }
    return this.turn.body;
  }

  #avatar(agent) {
    return h("span", { class: "avatar", "aria-hidden": "true" }, this.names.initials(agent));
  }

  #showWorking(agent) {
    const dots = h("span", { class: "dots", "aria-hidden": "true" }, h("i"), h("i"), h("i"));
    const text = agent ? `${this.names.name(agent)} is working` : "Working";
    this.working?.remove();
    this.working = h("li", { class: "working" }, dots, text);
    this.root.append(this.working);
  }

  #hideWorking() {
    this.working?.remove();
    this.working = null;
  }

  #setRunning(isRunning) {
    this.isRunning = isRunning;
    this.changed(isRunning);
  }
}

/** An answer that is data, as Markdown: no line of JSON can end the fence. */
function jsonBlock(value) {
  return `\`\`\`json\n${JSON.stringify(value, null, 2)}\n\`\`\``;
}

function endLine(event, startedAt) {
  const { promptTokens = 0, completionTokens = 0, cost, currency } = event.usage ?? {};
  const tokens = promptTokens + completionTokens;
  const facts = [
    tokens ? `${tokens.toLocaleString("en")} tokens` : null,
    cost === undefined ? null : `${Number(cost.toPrecision(2))} ${currency}`,
    startedAt ? duration(startedAt, event.at) : null,
  ].filter(Boolean);
  const titles = { completed: "Finished", limited: "Stopped at a limit", cancelled: "Stopped by you", failed: "Failed" };
  const marks = { completed: ICONS.check, limited: ICONS.stop, cancelled: ICONS.stop, failed: ICONS.cross };
  const reason = ["completed", "limited"].includes(event.outcome) ? event.stopReason : null;
  const line = h("p", { class: "end-line", title: tokens ? `${promptTokens} in the prompts, ${completionTokens} generated` : null },
    icon(marks[event.outcome] ?? ICONS.check),
    h("span", {}, [titles[event.outcome] ?? event.outcome, reason, ...facts].filter(Boolean).join(" · ")));
  if (!event.error) return h("li", { class: "end" }, line);
  const card = h("div", { class: "error-card" }, h("strong", {}, event.error.title), h("p", {}, event.error.detail ?? ""));
  return h("li", { class: "end is-error" }, card, line);
}
