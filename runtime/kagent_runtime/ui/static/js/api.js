// The HTTP API. Addresses are relative to this file, so that any path prefix or port-forward works.

const BASE = new URL("../../api/v1/", import.meta.url);

/** An answer that was not a success; the message is for people. */
export class ApiError extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

// For as long as the tab is open, and for this address only: a path of the same host may be another agent.
const TOKEN = `kagent-token ${BASE.pathname}`;

export const keepToken = (token) => sessionStorage.setItem(TOKEN, token);
export const forgetToken = () => sessionStorage.removeItem(TOKEN);

/** What shows the server who asks; nothing until it wants to know. */
export function credentials() {
  const token = sessionStorage.getItem(TOKEN);
  return token ? { Authorization: `Bearer ${token}` } : {};
}

async function request(method, path, body) {
  const options = { method, headers: { Accept: "application/json", ...credentials() } };
  if (body !== undefined) {
    options.headers["Content-Type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  let response;
  try {
    response = await fetch(new URL(path, BASE), options);
  } catch {
    throw new ApiError("The server cannot be reached.", 0);
  }
  if (!response.ok) throw new ApiError(await explanation(response), response.status);
  return response.status === 204 ? null : response.json();
}

async function explanation(response) {
  try {
    const problem = await response.json();
    return problem.detail || problem.title || `The server answered ${response.status}.`;
  } catch {
    return `The server answered ${response.status}.`;
  }
}

const session = (id) => `sessions/${encodeURIComponent(id)}`;

export const getAgent = () => request("GET", "agent");
export const listSessions = () => request("GET", "sessions?limit=100").then((body) => body.sessions);
export const getSession = (id) => request("GET", session(id));
export const createSession = (title) => request("POST", "sessions", { title });
export const renameSession = (id, title) => request("PATCH", session(id), { title });
export const deleteSession = (id) => request("DELETE", session(id));
export const sendMessage = (id, content) => request("POST", `${session(id)}/messages`, { content });
export const cancelRun = (id) => request("POST", `${session(id)}/cancel`);
export const decide = (id, callId, decision, reason) =>
  request("POST", `${session(id)}/approvals/${encodeURIComponent(callId)}`, { decision, reason });
export const history = (id) => request("GET", `${session(id)}/events?after=0`).then((body) => body.events);
export const eventsUrl = (id, after) => new URL(`${session(id)}/events?after=${after}`, BASE);
