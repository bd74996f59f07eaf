// The form that sends a message, and the same as a command: to the one who is logged in,
// or to one of its topics.

import { duration, el, setText, show, showError, whileBusy } from "./dom.js";
import { curlBox } from "./curlbox.js";
import { loginEnded } from "./api.js";
import { arrivals } from "./arrivals.js";

const LIMIT = 4096; // bytes of JSON in one push
const SAMPLE = JSON.stringify({ title: "Hello", count: 1, urgent: false }, null, 2);

/** What makes a message say which topic it came through, and whose that is. */
export const VIA_TOPIC = { sendTopicID: true, sendObjectScope: true };

/**
 * Wires the form. who(): the one who is logged in; words.self: what that is called as a
 * receiver; words.hello: a text to begin with; hears(topic): whether it subscribes;
 * loggedOut(error), when the cloud no longer knows the login. What is in the form stays.
 */
export function sendCard($, { kii, facts, curl, who, words, hears, loggedOut }) {
  const form = $("send-form");
  const asText = () => form.elements.kind.value === "text";
  const topic = () => $("send-to").value; // "": directly

  $("send-text").value = words.hello;
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
    setText($("send-size"), data ? `${size} bytes; at most ${LIMIT} with what the cloud adds` : "");
    $("send-size").classList.toggle("over", size > LIMIT);
    box.refresh();
  }

  const box = curlBox($("curl"), facts, {
    summary: "Send it from a terminal",
    secret: "token",
    commands: [{ text: command, missing: "Correct the JSON above first." }],
  });

  function command(mask) {
    const { data } = read();
    const login = who();
    if (!data || !login) return "";
    const token = mask(login.token);
    return topic() ? curl.sendToTopic(token, login.scope, topic(), { data, ...VIA_TOPIC }) : curl.send(token, login.scope, { data });
  }

  async function send() {
    const { data, problem } = read();
    const to = topic();
    showError($("send-error"), null);
    result("");
    if (problem) {
      $("send-json").focus(); // what is wrong stands below it
      return;
    }
    const began = performance.now();
    try {
      const answer = await (to ? kii.sendToTopic({ name: to, ...who().topics }, { data, ...VIA_TOPIC }) : kii.sendToMe({ data }));
      const unheard = to && !hears(to) ? ` Nothing of it arrives here without a subscription to ${to}.` : "";
      result(`Accepted in ${duration(performance.now() - began)}.${unheard}`, answer.pushMessageID);
      trips.sent(answer.pushMessageID, began);
    } catch (error) {
      if (loginEnded(error)) loggedOut(error);
      else showError($("send-error"), error);
    }
  }

  const trips = arrivals((id, ms) => {
    if (shownID === id) result(`Accepted, and here after ${duration(ms)}.`, id);
  });

  let shownID = "";
  function result(text, id = "") {
    shownID = id;
    $("send-result").replaceChildren(text, ...(id ? [" ", el("code", { id: $.id("send-id") }, id)] : []));
  }

  function offer(topics) {
    const chosen = topic();
    $("send-to").replaceChildren(
      el("option", { value: "" }, words.self),
      ...topics.map((name) => el("option", { value: name }, `Topic ${name}`)),
    );
    $("send-to").value = topics.includes(chosen) ? chosen : "";
    refresh();
  }

  form.addEventListener("input", refresh);
  form.addEventListener("change", refresh);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    whileBusy($("send-submit"), send);
  });

  return {
    arrived: trips.arrived,
    /** Takes the names of the topics that can be sent to. */
    offer,
    /** Makes a topic the receiver and goes to the form. */
    choose(name) {
      $("send-to").value = name;
      refresh();
      (asText() ? $("send-text") : $("send-json")).focus();
    },
    /** Forgets what was sent and hides the token again. */
    reset() {
      trips.reset();
      result("");
      showError($("send-error"), null);
      offer([]);
      box.reset();
    },
  };
}
