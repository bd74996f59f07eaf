// The form to register and to log in, for a user or a thing.

import { setText, show, showError, toggleButton, whileBusy } from "./dom.js";
import { curlBox } from "./curlbox.js";
import { suggestPassword } from "./suggest.js";

/**
 * Wires the form. kind: whom it is for, with the words of kinds.js; memory: what the browser
 * remembers of them; onSubmit({ mode, name, password }) does the work and may throw.
 */
export function authForm($, { kind, memory, facts, curl, onSubmit }) {
  const form = $("login-form");
  const name = $("login-name");
  const password = $("login-password");
  const submit = $("login-submit");
  const setShown = toggleButton($("login-password-toggle"), "password", (shown) => {
    password.type = shown ? "text" : "password";
  });
  const suggested = { name: kind.suggestName(), password: suggestPassword() };
  const mode = () => form.elements.mode.value;
  const command = (mask) => {
    if (name.value.trim() === "" || password.value === "") return "";
    return kind.curl(curl)[mode()](name.value.trim(), mask(password.value));
  };
  const box = curlBox($("curl-login"), facts, {
    summary: "As a curl command",
    secret: "password",
    commands: [{ text: command, missing: `Fill in the ${kind.nameLabel.toLowerCase()} and the password first.` }],
  });

  function offer() {
    const words = kind.modes[mode()];
    const registering = mode() === "register";
    if ([suggested.name, memory.lastName(), ""].includes(name.value)) name.value = registering ? suggested.name : memory.lastName();
    if ([suggested.password, ""].includes(password.value)) {
      password.value = registering ? suggested.password : "";
      setShown(registering);
    }
    name.autocomplete = kind.autocomplete;
    password.autocomplete = words.autocomplete;
    setText(submit, words.submit);
    setText($("login-hint"), words.hint);
    showError($("login-error"), null);
    box.refresh();
  }

  async function send() {
    const words = kind.modes[mode()];
    showError($("login-error"), null);
    const empty = [name, password].find((input) => input.value === "");
    if (empty) {
      empty.focus();
      showError($("login-error"), { code: "INCOMPLETE", message: `Both the ${kind.nameLabel.toLowerCase()} and the password are needed.` });
      return;
    }
    setText(submit, words.busy);
    try {
      await onSubmit({ mode: mode(), name: name.value.trim(), password: password.value });
      memory.keepName(name.value.trim());
      password.value = "";
      setShown(false);
    } catch (error) {
      showError($("login-error"), error);
    } finally {
      setText(submit, words.submit);
    }
  }

  form.addEventListener("change", (event) => {
    if (event.target.name === "mode") offer();
  });
  form.addEventListener("input", box.refresh);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    whileBusy(submit, send);
  });
  setText($("login-name-label"), kind.nameLabel);
  setText($("mode-register-label"), kind.modes.register.submit);
  setText($("mode-login-label"), kind.modes.login.submit);

  return {
    /** Shows the form, for a new account or, where a name is remembered, to log in. */
    open({ focus = true, reason = null } = {}) {
      show($("login-view"), true);
      if (memory.lastName()) $("mode-login").checked = true;
      suggested.name = kind.suggestName();
      suggested.password = suggestPassword();
      name.value = "";
      box.reset();
      offer();
      showError($("login-error"), reason);
      if (focus) (mode() === "login" ? password : name).focus();
    },
    close() {
      show($("login-view"), false);
    },
  };
}
