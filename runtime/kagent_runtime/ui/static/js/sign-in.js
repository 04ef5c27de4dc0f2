// Asks for the token when the server wants one.

import { credentials, forgetToken, keepToken } from "./api.js";
import { byId } from "./dom.js";

/** Resolves when a token was given; a wrong one is asked for again. */
export function askForToken() {
  const wasWrong = "Authorization" in credentials();
  forgetToken();
  const dialog = byId("sign-in");
  byId("sign-in-error").hidden = !wasWrong;
  byId("token").value = "";
  return new Promise((resolve) => {
    // Escape must not leave a page that can do nothing.
    dialog.addEventListener("cancel", (event) => event.preventDefault());
    byId("sign-in-form").addEventListener("submit", (event) => {
      event.preventDefault();
      keepToken(byId("token").value.trim());
      byId("token").value = "";
      dialog.close();
      resolve();
    }, { once: true });
    dialog.showModal();
  });
}
