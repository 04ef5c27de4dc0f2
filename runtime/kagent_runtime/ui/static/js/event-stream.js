// Follows the events of one session. After a drop it resumes after the last event that has a number.

import { credentials, eventsUrl } from "./api.js";
import { frames } from "./sse.js";

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 10_000;

export class EventStream {
  /** `onState` hears "open" and "lost"; `onEvent` hears every event in order, each numbered one once. */
  constructor(sessionId, after, { onEvent, onState }) {
    this.sessionId = sessionId;
    this.last = after;
    this.onEvent = onEvent;
    this.onState = onState;
    this.wait = FIRST_WAIT_MS;
    this.reconnectNow = () => this.timer && this.#open();
    window.addEventListener("online", this.reconnectNow);
    this.#open();
  }

  close() {
    window.removeEventListener("online", this.reconnectNow);
    clearTimeout(this.timer);
    this.source?.abort();
    this.source = null;
  }

  // Fetched, for an EventSource cannot say who asks, and gives up for good when a proxy answers with 502 or 503.
  async #open() {
    clearTimeout(this.timer);
    this.timer = null;
    const source = new AbortController();
    this.source = source;
    try {
      const headers = { Accept: "text/event-stream", ...credentials() };
      const response = await fetch(eventsUrl(this.sessionId, this.last), { headers, signal: source.signal });
      if (!response.ok) throw new Error(`The server answered ${response.status}.`);
      this.wait = FIRST_WAIT_MS;
      this.onState("open");
      for await (const data of frames(response.body)) {
        if (this.source !== source) return;
        this.#receive(data);
      }
    } catch {
      // Whatever ended it: it is opened again.
    }
    if (this.source === source) this.#lost();
  }

  #receive(data) {
    const event = JSON.parse(data);
    if (event.seq !== undefined) {
      if (event.seq <= this.last) return;
      this.last = event.seq;
    }
    this.onEvent(event);
  }

  #lost() {
    this.source = null;
    this.onState("lost");
    this.timer = setTimeout(() => this.#open(), this.wait);
    this.wait = Math.min(this.wait * 2, LONGEST_WAIT_MS);
  }
}
