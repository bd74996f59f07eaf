// The view of the four steps: what each did, how long it took, what went wrong.

import { duration, el, setText, showError, toggleButton } from "./dom.js";

const NAMES = ["install", "endpoint", "connect", "receive"];
const MASK = "••••••••••••";

/** MQTT's words for values that have other names in the library. */
const WORDS = { clientID: "client identifier", keepAlive: "keep alive", qos: "QoS" };

/** The view of one journey's steps, at its place of the page. */
export function stepsView($) {
  const part = (name, selector) => $(`step-${name}`).querySelector(selector);

  /** Sets a step's status: pending, active, done or failed. */
  function mark(name, status) {
    const step = $(`step-${name}`);
    step.dataset.status = status;
    if (status === "active") step.setAttribute("aria-current", "step");
    else step.removeAttribute("aria-current");
  }

  function finish(name, ms, before = "") {
    setText(part(name, ".step-time"), `${before} ${duration(ms)}`.trim());
    mark(name, "done");
  }

  return {
    finish,

    /** Puts all steps back to the beginning. */
    reset() {
      for (const name of NAMES) {
        mark(name, "pending");
        setText(part(name, ".step-time"), "");
        part(name, ".step-values").replaceChildren();
        showError(part(name, ".step-error"), null);
      }
    },

    /** Does one step's work with its view around it, and gives what the work gave. */
    async run(name, work) {
      mark(name, "active");
      setText(part(name, ".step-time"), "");
      showError(part(name, ".step-error"), null);
      const began = performance.now();
      try {
        const result = await work();
        finish(name, performance.now() - began);
        return result;
      } catch (error) {
        setText(part(name, ".step-time"), duration(performance.now() - began));
        mark(name, "failed");
        showError(part(name, ".step-error"), error);
        throw error;
      }
    },

    /** Opens a step that something else will finish. */
    open: (name) => mark(name, "active"),

    /**
     * Shows a step's values. Each pair is [name, value] or [name, value, "secret"], and a
     * value that is already shown is only brought up to date.
     */
    values(name, pairs) {
      const box = part(name, ".step-values");
      const shown = pairs.map(([label]) => document.getElementById($.id(`value-${label}`)));
      if (shown.every(Boolean)) {
        pairs.forEach(([, value], i) => setText(shown[i], String(value)));
        return;
      }
      const list = el("dl", { class: "values" });
      for (const [label, value, secret] of pairs) {
        list.append(el("dt", {}, WORDS[label] ?? label), secret ? secretValue($, label, value) : plainValue($, label, value));
      }
      box.replaceChildren(list);
    },
  };
}

function plainValue($, label, value) {
  return el("dd", {}, el("span", { id: $.id(`value-${label}`) }, String(value)));
}

function secretValue($, label, value) {
  const text = el("span", { id: $.id(`value-${label}`) }, MASK);
  const button = el("button", { id: $.id(`${label}-toggle`), type: "button", class: "button tiny" });
  toggleButton(button, label, (shown) => setText(text, shown ? value : MASK))(false);
  return el("dd", {}, text, " ", button);
}
