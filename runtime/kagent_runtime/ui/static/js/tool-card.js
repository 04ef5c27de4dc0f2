// One tool call: a line that opens into its arguments and its result.

import { copyButton, h, icon, ICONS } from "./dom.js";

const MAX_SUMMARY = 120;

export class ToolCard {
  constructor(event) {
    this.state = h("span", { class: "tool-state" }, h("span", { class: "spinner", "aria-hidden": "true" }), "running");
    this.body = h("div", { class: "tool-body" }, section("Arguments", pretty(event.arguments)));
    this.element = h("details", { class: "tool is-running" },
      h("summary", {},
        h("span", { class: "tool-chevron" }, icon(ICONS.chevron)),
        h("span", { class: "tool-name" }, event.name),
        h("span", { class: "tool-arguments" }, oneLine(event.arguments)),
        this.state),
      this.body);
  }

  /** A person has to approve the call first. */
  setWaiting(isWaiting) {
    if (isWaiting) this.state.replaceChildren("waiting");
    else this.state.replaceChildren(h("span", { class: "spinner", "aria-hidden": "true" }), "running");
  }

  finish(event) {
    this.element.classList.remove("is-running");
    this.element.classList.toggle("is-error", event.isError);
    const mark = icon(event.isError ? ICONS.cross : ICONS.check);
    this.state.replaceChildren(mark, event.isError ? "failed" : lineCount(event.content));
    this.body.append(section(event.isError ? "Error" : "Result", event.content || "(empty)"));
  }

  /** The run ended, and no result will come. */
  abandon() {
    if (!this.element.classList.contains("is-running")) return;
    this.element.classList.remove("is-running");
    this.state.replaceChildren("no result");
  }
}

function section(title, text) {
  return h("section", {},
    h("div", { class: "code-bar" }, h("span", {}, title), copyButton(() => text, title.toLowerCase())),
    h("pre", { tabindex: "0", role: "group", "aria-label": title }, text));
}

function pretty(value) {
  return typeof value === "string" ? value : JSON.stringify(value, null, 2);
}

function oneLine(value) {
  const pairs = value !== null && typeof value === "object" ? Object.entries(value) : [["", value]];
  const text = pairs.map(([key, item]) => {
    const shown = typeof item === "string" ? item : JSON.stringify(item);
    return key ? `${key}=${shown}` : shown;
  }).join("  ");
  return text.length > MAX_SUMMARY ? `${text.slice(0, MAX_SUMMARY)}…` : text;
}

function lineCount(text) {
  const lines = text ? text.trimEnd().split("\n").length : 0;
  return lines === 1 ? "1 line" : `${lines} lines`;
}
