// Follows the events of one session. After a drop it resumes after the last event that has a number.

import { eventsUrl } from "./api.js";

const TYPES = [
  "message.user", "run.started", "speaker.selected", "message.delta", "message", "tool.call", "tool.result",
  "approval.requested", "approval.decided", "handoff", "notice", "run.finished",
];
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
    this.source?.close();
  }

  #open() {
    clearTimeout(this.timer);
    this.timer = null;
    // A new EventSource each time: the built-in retry gives up for good when a proxy answers with 502 or 503.
    this.source = new EventSource(eventsUrl(this.sessionId, this.last));
    this.source.onopen = () => {
      this.wait = FIRST_WAIT_MS;
      this.onState("open");
    };
    this.source.onerror = () => this.#lost();
    for (const type of TYPES) this.source.addEventListener(type, (frame) => this.#receive(frame));
  }

  #receive(frame) {
    const event = JSON.parse(frame.data);
    if (event.seq !== undefined) {
      if (event.seq <= this.last) return;
      this.last = event.seq;
    }
    this.onEvent(event);
  }

  #lost() {
    this.source.close();
    this.onState("lost");
    this.timer = setTimeout(() => this.#open(), this.wait);
    this.wait = Math.min(this.wait * 2, LONGEST_WAIT_MS);
  }
}
