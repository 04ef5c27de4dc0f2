// The message field: Enter sends, Shift+Enter starts a line, Stop while a run goes on.

import { byId } from "./dom.js";

const MAX_BYTES = 65_536;
const WARN_BYTES = 60_000;
const encoder = new TextEncoder();

export class Composer {
  constructor({ onSend, onStop }) {
    this.field = byId("message");
    this.sendButton = byId("send");
    this.stopButton = byId("stop");
    this.error = byId("composer-error");
    this.onSend = onSend;
    this.isRunning = false;
    this.isSending = false;
    byId("composer").addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });
    this.stopButton.addEventListener("click", onStop);
    this.field.addEventListener("input", () => this.#update());
    this.field.addEventListener("keydown", (event) => {
      // isComposing: Enter that picks a candidate of an input method is not ours.
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.submit();
    });
  }

  async submit(text = this.field.value) {
    const content = text.trim();
    if (!content || this.isRunning || this.isSending || encoder.encode(content).length > MAX_BYTES) return;
    this.isSending = true;
    this.showError(null);
    this.#update();
    try {
      await this.onSend(content);
      if (this.field.value.trim() === content) this.field.value = "";
    } catch (error) {
      this.showError(error.message);
    } finally {
      this.isSending = false;
      this.#update();
    }
  }

  setRunning(isRunning) {
    const hadFocus = document.activeElement === this.stopButton;
    this.isRunning = isRunning;
    this.#update();
    if (!isRunning && hadFocus) this.field.focus();
  }

  showError(message) {
    this.error.textContent = message ?? "";
    this.error.hidden = !message;
  }

  focus() {
    // On a touch screen this would open the keyboard over the page.
    if (window.matchMedia("(pointer: fine)").matches) this.field.focus();
  }

  #update() {
    const size = encoder.encode(this.field.value).length;
    if (size > MAX_BYTES) this.showError(`The message is ${size - MAX_BYTES} bytes too long.`);
    else if (size > WARN_BYTES) this.showError(`${MAX_BYTES - size} bytes left.`);
    else if (/^(The message is \d+ bytes|\d+ bytes left)/.test(this.error.textContent)) this.showError(null);
    this.sendButton.disabled = !this.field.value.trim() || this.isRunning || this.isSending || size > MAX_BYTES;
    this.sendButton.hidden = this.isRunning;
    this.stopButton.hidden = !this.isRunning;
    this.field.style.height = "auto";
    this.field.style.height = `${this.field.scrollHeight}px`;
  }
}
