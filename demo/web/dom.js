// The little that all parts of the page need to work with its elements.

/**
 * Finds elements by their ids, which in one part of the page all begin with prefix. What
 * is written for place("") works for a copy of the same markup at place("thing-"), too.
 * A missing element is a mistake in the page, so it throws.
 */
export function place(prefix) {
  const find = (id) => {
    const element = document.getElementById(prefix + id);
    if (!element) throw new Error(`The page has no element #${prefix}${id}.`);
    return element;
  };
  find.id = (id) => prefix + id;
  find.place = (more) => place(prefix + more);
  return find;
}

/** The page as a whole, and the user's part of it. */
export const $ = place("");

const REFERENCES = ["id", "for", "aria-labelledby", "aria-describedby"];

/** A copy of an element for another place: each id in it, and each mention of one, gets the prefix. */
export function twin(element, prefix) {
  const copy = element.cloneNode(true);
  for (const node of [copy, ...copy.querySelectorAll("*")]) {
    for (const name of REFERENCES) {
      const ids = node.getAttribute(name);
      if (ids) node.setAttribute(name, ids.replaceAll(/\S+/g, (id) => prefix + id));
    }
    if (/^H\d$/.test(node.tagName)) node.setAttribute("aria-level", Number(node.tagName[1]) + 1); // below the other place's own
  }
  return copy;
}

/** Makes an element: el("p", { class: "hint" }, "text", child, …). */
export function el(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== null) element.setAttribute(key, value);
  }
  element.append(...children.filter((child) => child !== undefined && child !== null && child !== ""));
  return element;
}

export function show(element, visible) {
  element.hidden = !visible;
}

/** Writes text only where it changes, so that live regions do not repeat themselves. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * A button that shows and hides a secret; onChange(shown) is told. Its text and its name say
 * what the next press does. The function returned does the same without a press.
 */
export function toggleButton(button, what, onChange) {
  let shown = false;
  const set = (value) => {
    shown = value;
    setText(button, shown ? "Hide" : "Show");
    button.setAttribute("aria-label", `${shown ? "Hide" : "Show"} ${what}`);
    onChange(shown);
  };
  button.addEventListener("click", () => set(!shown));
  return set;
}

/**
 * Does the work of a button once at a time: presses while it is under way count for
 * nothing. aria-disabled instead of disabled: a disabled button drops the keyboard's focus.
 */
export async function whileBusy(button, work) {
  if (button.getAttribute("aria-disabled") === "true") return;
  button.setAttribute("aria-disabled", "true");
  try {
    await work();
  } finally {
    button.setAttribute("aria-disabled", "false");
  }
}

/** Puts an error into a box: its code, its message and what to do. Null empties the box. */
export function showError(box, error) {
  if (!error) {
    box.replaceChildren();
    return;
  }
  const { code, message, remedy } = describe(error);
  box.replaceChildren(
    el(
      "div",
      { class: "error" },
      el("p", {}, el("code", { class: "error-code" }, code), " ", el("span", { class: "error-message" }, message)),
      remedy ? el("p", { class: "error-remedy" }, remedy) : null,
    ),
  );
}

/** What can be said about anything that was thrown. */
export function describe(error) {
  const message = error?.message || String(error);
  return { code: error?.code || error?.name || "ERROR", message, remedy: error?.remedy || "" };
}

/** A duration as people read it: 38 ms, 1.2 s, 3 min. */
export function duration(ms) {
  if (ms < 1000) return `${Math.max(1, Math.round(ms))} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  return `${Math.round(ms / 60_000)} min`;
}

const CLOCK = new Intl.DateTimeFormat([], {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  fractionalSecondDigits: 3,
  hourCycle: "h23",
});

/** A time of day to the millisecond. */
export function clock(date) {
  return CLOCK.format(date);
}

/** Copies text; where the clipboard is not to be had (plain http to another machine) by way of a selection. */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = el("textarea", { class: "visually-hidden", "aria-hidden": "true" });
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}
