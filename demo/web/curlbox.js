// A fold of the page with commands for a terminal: their secret is masked until it is
// asked for, and copied in any case.

import { copy, el, setText, show, toggleButton } from "./dom.js";
import { curlNote } from "./curl.js";

const MASK = "••••••••••••";
const COPIED = 4000; // ms for which a copy is confirmed

/**
 * Fills a <details>. options:
 *   summary  the text to open it by
 *   secret   what the commands hold that is masked: "token", "password"; absent: nothing
 *   about    what to know before the first command
 *   commands a list of { name, label?, text(mask), missing? }: text gives the command with
 *            its secret put through mask, or "" while it cannot be made, for which missing says why
 *
 * The parts get ids from that of the <details>, if it has one, and, where there are several
 * commands, the command's name: curl-command, curl-copy, curl-reveal, curl-note;
 * curl-admin-send-command.
 */
export function curlBox(details, facts, { summary, secret, about, commands }) {
  const id = (...names) => (details.id ? [details.id, ...names].join("-") : null);
  const parts = commands.map((command) =>
    commandPart(command, (part) => (commands.length > 1 ? id(command.name, part) : id(part)), secret),
  );
  const note = curlNote(facts);
  const reveal = secret ? el("button", { id: id("reveal"), type: "button", class: "button small quiet curl-reveal" }) : null;
  details.classList.add("curl");
  details.replaceChildren(
    el("summary", {}, summary),
    about ? el("div", { class: "curl-about" }, ...about) : "",
    reveal && parts.length > 1 ? el("div", { class: "actions" }, reveal) : "",
    ...parts.flatMap((part) => part.nodes),
    note ? el("p", { id: id("note"), class: "hint" }, note) : "",
  );
  let revealed = false;
  const refresh = () => parts.forEach((part) => part.draw(revealed ? (value) => value : () => MASK));
  const setRevealed = !reveal
    ? refresh
    : toggleButton(reveal, secret, (shown) => {
        revealed = shown;
        setText(reveal, `${shown ? "Hide" : "Show"} ${secret}`);
        refresh();
      });
  if (reveal && parts.length === 1) parts[0].actions.insertBefore(reveal, parts[0].copied);
  setRevealed(false);
  return {
    refresh,
    /** Masks the secret again and folds the box up. */
    reset() {
      details.open = false;
      setRevealed(false);
    },
  };
}

function commandPart({ name, label, text, missing = "" }, id, secret) {
  const code = el("pre", { id: id("command"), class: "code", tabindex: "0", role: "group", "aria-label": label ?? "curl command", "data-command": name });
  const button = el("button", { id: id("copy"), type: "button", class: "button small" }, "Copy command");
  if (label) button.setAttribute("aria-label", `Copy command: ${label}`);
  const copied = el("span", { id: id("copied"), class: "hint", role: "status" });
  button.addEventListener("click", async () => {
    const done = await copy(text((value) => value));
    setText(copied, !done ? "Select the command and copy it by hand." : secret ? `Copied, with the ${secret}.` : "Copied.");
    setTimeout(() => setText(copied, ""), COPIED);
  });
  const actions = el("div", { class: "actions" }, button, copied);
  return {
    actions,
    copied,
    nodes: [label ? el("p", { class: "curl-label" }, label) : "", code, actions],
    draw(mask) {
      const command = text(mask);
      setText(code, command || missing);
      button.disabled = !command;
    },
  };
}
