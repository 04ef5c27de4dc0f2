// A tool call that waits for a person: what exactly would run, and the two answers.

import { h, icon, ICONS } from "./dom.js";
import { clockTime } from "./time.js";

const OUTCOMES = { person: { approve: "Approved", deny: "Denied" }, expiry: { deny: "Expired" }, cancel: { deny: "Stopped" } };
let count = 0;

export class ApprovalCard {
  /** `decide(decision, reason)` resolves when the server has it; the event that follows closes the card. */
  constructor(event, agentName, decide) {
    const id = `approval-${++count}`;
    this.decide = decide;
    this.isBusy = false;
    this.reason = h("input", { id: `${id}-reason`, class: "approval-reason", maxlength: "2000", autocomplete: "off" });
    this.approve = h("button", { type: "button", class: "button primary", on: { click: () => this.#send("approve") } }, "Approve");
    this.deny = h("button", { type: "submit", class: "button danger" }, "Deny");
    this.error = h("p", { class: "approval-error", role: "alert", hidden: true });
    // Enter in the field of the reason denies: a reason is for a no.
    this.form = h("form", { class: "approval-form", on: { submit: (submitted) => this.#submitted(submitted) } },
      h("label", { for: `${id}-reason` }, "Reason, if you deny"), this.reason,
      h("div", { class: "approval-actions" }, this.approve, this.deny));
    this.state = h("p", { class: "approval-state", tabindex: "-1" },
      icon(ICONS.info), h("span", {}, agentName, " waits for your approval until ", clockTime(event.expiresAt)));
    this.element = h("div", { class: "approval is-waiting", role: "group", "aria-labelledby": `${id}-title` },
      h("h2", { id: `${id}-title`, class: "approval-title" }, "Run ", h("code", {}, event.name), "?"),
      h("pre", { tabindex: "0", role: "group", "aria-label": "Arguments" }, JSON.stringify(event.arguments, null, 2)),
      ...(event.preview ? [h("pre", { class: "approval-preview", tabindex: "0", role: "group", "aria-label": "What it would change" }, event.preview)] : []),
      this.state, this.form, this.error);
  }

  /** The decision, whoever made it. */
  close(event) {
    const outcome = OUTCOMES[event.by]?.[event.decision] ?? event.decision;
    this.#end(event.decision === "approve", event.by === "person" && event.reason ? `${outcome}: ${event.reason}` : outcome);
  }

  /** The run ended without a decision: the process died. */
  abandon() {
    if (this.element.classList.contains("is-waiting")) this.#end(false, "Not decided");
  }

  #end(isApproved, text) {
    const hadFocus = this.form.contains(document.activeElement);
    this.element.classList.remove("is-waiting");
    this.element.classList.toggle("is-denied", !isApproved);
    this.form.remove();
    this.error.remove();
    this.state.replaceChildren(icon(isApproved ? ICONS.check : ICONS.cross), h("span", {}, text));
    if (hadFocus) this.state.focus({ preventScroll: true });
  }

  #submitted(event) {
    event.preventDefault();
    this.#send("deny", this.reason.value.trim());
  }

  async #send(decision, reason) {
    if (this.isBusy) return;
    this.#setBusy(true);
    try {
      this.error.hidden = true;
      await this.decide(decision, reason || undefined);
    } catch (error) {
      this.error.textContent = error.message;
      this.error.hidden = false;
      this.#setBusy(false);
    }
  }

  #setBusy(isBusy) {
    // Not `disabled`: that would take the focus away from the keyboard's user.
    for (const button of [this.approve, this.deny]) button.setAttribute("aria-disabled", String(isBusy));
    this.isBusy = isBusy;
  }
}
