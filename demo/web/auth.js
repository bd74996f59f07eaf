// The form to register and to log in.

import { $, setText, show, showError, toggleButton } from "./dom.js";
import { keepName, lastName } from "./memory.js";
import { suggestName, suggestPassword } from "./suggest.js";

const WORDS = {
  register: {
    submit: "Create account",
    busy: "Creating…",
    hint: "A suggestion that you may change. Keep it if you want to log in again later.",
    autocomplete: "new-password",
  },
  login: { submit: "Log in", busy: "Logging in…", hint: "", autocomplete: "current-password" },
};

/** Wires the form; onSubmit({ mode, name, password }) does the work and may throw. */
export function authForm(onSubmit) {
  const form = $("login-form");
  const name = $("login-name");
  const password = $("login-password");
  const submit = $("login-submit");
  const setShown = toggleButton($("login-password-toggle"), "password", (shown) => {
    password.type = shown ? "text" : "password";
    setText($("login-password-toggle"), shown ? "Hide" : "Show");
  });
  const suggested = { name: suggestName(), password: suggestPassword() };
  const mode = () => form.elements.mode.value;

  function offer() {
    const words = WORDS[mode()];
    const registering = mode() === "register";
    if ([suggested.name, lastName(), ""].includes(name.value)) name.value = registering ? suggested.name : lastName();
    if ([suggested.password, ""].includes(password.value)) {
      password.value = registering ? suggested.password : "";
      setShown(registering);
    }
    password.autocomplete = words.autocomplete;
    setText(submit, words.submit);
    setText($("login-hint"), words.hint);
    showError($("login-error"), null);
  }

  async function send(event) {
    event.preventDefault();
    if (submit.getAttribute("aria-disabled") === "true") return;
    const words = WORDS[mode()];
    showError($("login-error"), null);
    const empty = [name, password].find((input) => input.value === "");
    if (empty) {
      empty.focus();
      showError($("login-error"), { code: "INCOMPLETE", message: "Both the login name and the password are needed." });
      return;
    }
    busy(true, words.busy);
    try {
      await onSubmit({ mode: mode(), name: name.value.trim(), password: password.value });
      keepName(name.value.trim());
      password.value = "";
      setShown(false);
    } catch (error) {
      showError($("login-error"), error);
    } finally {
      busy(false, words.submit);
    }
  }

  // aria-disabled instead of disabled: a disabled button drops the keyboard's focus.
  function busy(on, text) {
    submit.setAttribute("aria-disabled", String(on));
    setText(submit, text);
  }

  form.addEventListener("change", (event) => {
    if (event.target.name === "mode") offer();
  });
  form.addEventListener("submit", send);

  return {
    /** Shows the form, for a new account or, where a name is remembered, to log in. */
    open({ focus = true, reason = null } = {}) {
      show($("login-view"), true);
      if (lastName()) $("mode-login").checked = true;
      suggested.name = suggestName();
      suggested.password = suggestPassword();
      name.value = "";
      offer();
      showError($("login-error"), reason);
      if (focus) (mode() === "login" ? password : name).focus();
    },
    close() {
      show($("login-view"), false);
    },
  };
}
