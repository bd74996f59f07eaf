// The form that sends a message to the one who is logged in, and the same as a command.

import { $, copy, duration, setText, show, showError, toggleButton } from "./dom.js";
import { curlCommand, curlNote } from "./curl.js";

const MASK = "••••••••••••";
const LIMIT = 4096; // bytes of JSON in one push
const SAMPLE = JSON.stringify({ title: "Hello", count: 1, urgent: false }, null, 2);

/** Wires the form. facts: the cloud's; token(): of the one who is logged in. */
export function sendCard(kii, facts, token) {
  const form = $("send-form");
  const asText = () => form.elements.kind.value === "text";
  const awaited = new Map(); // pushMessageID -> when it was sent
  let revealed = false;

  $("send-text").value = "Hello, browser!";
  $("send-json").value = SAMPLE;

  // What is in the form: { data } or { problem }.
  function read() {
    if (asText()) return { data: { text: $("send-text").value } };
    try {
      const data = JSON.parse($("send-json").value);
      if (data === null || typeof data !== "object" || Array.isArray(data)) throw new Error("A push is a JSON object: { … }.");
      return { data };
    } catch (error) {
      return { problem: error.message };
    }
  }

  function refresh() {
    const { data, problem } = read();
    show($("send-text-field"), asText());
    show($("send-json-field"), !asText());
    $("send-json").setAttribute("aria-invalid", String(Boolean(problem)));
    setText($("send-problem"), problem ? `This cannot be sent: ${problem}` : "");
    const size = data ? new TextEncoder().encode(JSON.stringify(data)).length : 0;
    setText($("send-size"), data ? `${size} of ${LIMIT} bytes` : "");
    $("send-size").classList.toggle("over", size > LIMIT);
    $("curl-command").textContent = data ? command(data, revealed ? token() : MASK) : "Correct the JSON above first.";
    $("curl-copy").disabled = !data;
  }

  const command = (data, shownToken) => curlCommand({ ...facts, token: shownToken, data });

  async function send(event) {
    event.preventDefault();
    const submit = $("send-submit");
    const { data, problem } = read();
    showError($("send-error"), null);
    result("");
    if (problem) {
      $("send-json").focus(); // what is wrong stands below it
      return;
    }
    if (submit.getAttribute("aria-disabled") === "true") return;
    submit.setAttribute("aria-disabled", "true");
    const began = performance.now();
    try {
      const { pushMessageID: id } = await kii.sendToMe({ data });
      awaited.set(id, began);
      if (awaited.size > 50) awaited.delete(awaited.keys().next().value);
      result(`Accepted in ${duration(performance.now() - began)}.`, id);
      early(id);
    } catch (error) {
      showError($("send-error"), error);
    } finally {
      submit.setAttribute("aria-disabled", "false");
    }
  }

  // The message may be here before the answer to its sending is.
  const arrivedEarly = new Map();
  function early(id) {
    if (arrivedEarly.has(id)) arrived(id, arrivedEarly.get(id));
  }

  function arrived(id, at = performance.now()) {
    if (!id) return;
    if (!awaited.has(id)) {
      arrivedEarly.set(id, at);
      if (arrivedEarly.size > 50) arrivedEarly.delete(arrivedEarly.keys().next().value);
      return;
    }
    if (shownID === id) result(`Accepted, and here after ${duration(at - awaited.get(id))}.`, id);
    awaited.delete(id);
  }

  let shownID = "";
  function result(text, id = "") {
    shownID = id;
    const line = $("send-result");
    line.replaceChildren(text);
    if (!id) return;
    const code = document.createElement("code");
    code.id = "send-id";
    code.textContent = id;
    line.append(" ", code);
  }

  const setRevealed = toggleButton($("curl-reveal"), "token", (shown) => {
    revealed = shown;
    setText($("curl-reveal"), shown ? "Hide token" : "Show token");
    refresh();
  });
  $("curl-reveal").removeAttribute("aria-label"); // its text says it all

  $("curl-copy").addEventListener("click", async () => {
    const done = await copy(command(read().data, token()));
    setText($("curl-copied"), done ? "Copied, with the token." : "Select the command and copy it by hand.");
    setTimeout(() => setText($("curl-copied"), ""), 4000);
  });
  form.addEventListener("input", refresh);
  form.addEventListener("change", refresh);
  form.addEventListener("submit", send);
  const note = curlNote(facts);
  setText($("curl-note"), note);
  show($("curl-note"), note !== "");

  return {
    arrived,
    refresh,
    /** Forgets what was sent and hides the token again. */
    reset() {
      awaited.clear();
      arrivedEarly.clear();
      result("");
      showError($("send-error"), null);
      setRevealed(false);
    },
  };
}
