// A message that is still being written: rendered again as text arrives, but not for each token.

import { h } from "./dom.js";
import { renderMarkdown } from "./markdown.js";

const RENDER_EVERY_MS = 60;
const SLOW_RENDER_EVERY_MS = 400;
const LONG = 20_000;

/** A whole message. */
export function messageBody(text) {
  return h("div", { class: "message" }, renderMarkdown(text));
}

export class Draft {
  constructor(agent, hasGap = false) {
    this.agent = agent;
    this.hasGap = hasGap;
    this.text = hasGap ? "… " : "";
    this.element = h("div", { class: "message is-draft", "aria-busy": "true" });
  }

  append(text) {
    this.text += text;
    const wait = this.text.length > LONG ? SLOW_RENDER_EVERY_MS : RENDER_EVERY_MS;
    this.timer ??= setTimeout(() => this.#render(), wait);
  }

  /** Replaces the draft by the message it has become. */
  finish(body) {
    clearTimeout(this.timer);
    this.element.replaceWith(body);
  }

  /** Keeps what was written. */
  settle() {
    clearTimeout(this.timer);
    this.#render();
    this.element.classList.remove("is-draft");
    this.element.removeAttribute("aria-busy");
  }

  markGap() {
    if (this.hasGap) return;
    this.hasGap = true;
    this.append(" … ");
  }

  #render() {
    this.timer = null;
    this.element.replaceChildren(renderMarkdown(this.text));
  }
}
