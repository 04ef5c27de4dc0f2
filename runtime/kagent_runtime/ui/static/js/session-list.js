// The list of conversations: open, rename in place, delete after a question.

import { byId, h, icon, ICONS } from "./dom.js";
import { relativeTime } from "./time.js";

export class SessionList {
  constructor(root, { onOpen, onRename, onDelete }) {
    this.root = root;
    this.onOpen = onOpen;
    this.onRename = onRename;
    this.onDelete = onDelete;
    this.sessions = [];
    this.current = null;
    this.renaming = null;
  }

  show(sessions, current) {
    this.sessions = sessions;
    this.current = current;
    if (this.renaming) return; // do not take the field away while someone types in it
    const focused = this.root.contains(document.activeElement) ? document.activeElement.dataset.key : null;
    this.root.replaceChildren(...sessions.map((session) => this.#item(session)));
    if (focused) this.root.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
    byId("sessions-empty").hidden = sessions.length > 0;
  }

  #item(session) {
    const isCurrent = session.id === this.current;
    const open = h("a", {
      class: "session-open", href: `#/sessions/${encodeURIComponent(session.id)}`, "data-key": `open-${session.id}`,
      "aria-current": isCurrent ? "page" : null, on: { click: () => this.onOpen(session.id) },
    },
    h("span", { class: "session-title" }, session.title),
    h("span", { class: "session-meta" }, status(session)));
    return h("li", { class: isCurrent ? "session is-current" : "session" }, open,
      h("span", { class: "session-actions" },
        action("Rename", session, ICONS.pencil, (event) => this.#rename(session, event.currentTarget.closest("li"))),
        action("Delete", session, ICONS.bin, () => this.#delete(session))));
  }

  #rename(session, item) {
    const field = h("input", { class: "session-rename", value: session.title, maxlength: "200", "aria-label": "Title" });
    this.renaming = session.id;
    const end = async (isKept) => {
      if (this.renaming !== session.id) return;
      this.renaming = null;
      const title = field.value.trim();
      if (isKept && title && title !== session.title) await this.onRename(session.id, title);
      else this.show(this.sessions, this.current);
    };
    field.addEventListener("keydown", (event) => {
      if (event.key === "Enter") end(true);
      if (event.key === "Escape") end(false);
    });
    field.addEventListener("blur", () => end(true));
    item.replaceChildren(field);
    field.select();
  }

  #delete(session) {
    const dialog = byId("confirm");
    byId("confirm-text").textContent = `“${session.title}” and all its messages will be gone.`;
    dialog.returnValue = "no";
    dialog.onclose = () => dialog.returnValue === "yes" && this.onDelete(session.id);
    dialog.showModal();
  }
}

function status(session) {
  if (session.status === "waiting") return h("span", { class: "waiting" }, "waits for approval");
  if (session.status !== "running") return relativeTime(session.updatedAt);
  return h("span", { class: "running" }, h("span", { class: "spinner", "aria-hidden": "true" }), "running");
}

function action(name, session, path, onClick) {
  return h("button", {
    type: "button", class: "session-action", title: name, "aria-label": `${name} ${session.title}`,
    "data-key": `${name}-${session.id}`, on: { click: onClick },
  }, icon(path));
}
