// The live list of messages: newest first, bounded, gentle to the page when many arrive.

import { clock, el, setText, show } from "./dom.js";
import { pushMessageIDOf } from "./api.js";
import { jsonNodes } from "./json.js";

const LIMIT = 200; // messages shown; older ones are only counted
const FEW = 3; // messages of one drawing that are pointed out; to do so with many would cost more than all else
const UTF8 = new TextDecoder("utf-8", { fatal: true });
const PACE = 100; // ms between two drawings at least: one for each frame would leave a page no time where many arrive
const QUIET = 1000; // ms between two announcements to a screen reader

/** One list, at its place of the page. */
export function messageList($) {
  let received = 0;
  let shown = 0;
  let fresh = []; // arrived and not yet drawn, oldest first, at most LIMIT
  let drawing = false;
  let drawn = -PACE; // when the list was drawn last, in ms of performance.now()
  let unspoken = 0;
  let speaking = 0;

  function draw() {
    drawing = false;
    drawn = performance.now();
    const list = $("messages");
    const items = fresh.map(item).reverse();
    if (items.length <= FEW) items.forEach((one) => one.classList.add("lone"));
    fresh = [];
    list.prepend(...items);
    shown += items.length;
    for (; shown > LIMIT; shown--) list.lastElementChild.remove();
    count();
    announce();
  }

  function count() {
    const badge = $("message-count");
    setText(badge, String(received));
    badge.setAttribute("aria-label", `${received} received`);
    show($("messages-empty"), received === 0);
    show($("messages-clear"), received > 0);
    show($("messages-older"), received > shown);
    setText($("messages-older"), `Showing the newest ${shown} of ${received}.`);
  }

  // One sentence for all that came since the last one, not one per message.
  function announce() {
    if (speaking) return;
    const say = () => {
      speaking = 0;
      if (unspoken === 0) return;
      setText($("messages-news"), `${unspoken === 1 ? "One new message" : `${unspoken} new messages`}, ${received} in all.`);
      unspoken = 0;
      speaking = setTimeout(say, QUIET);
    };
    say();
  }

  function clear() {
    received = shown = unspoken = 0;
    fresh = [];
    $("messages").replaceChildren();
    setText($("messages-news"), "");
    count();
  }

  $("messages-clear").addEventListener("click", () => {
    clear();
    $("messages-title").focus();
  });

  return {
    clear,
    /** Takes one message; it is read and drawn with all others of its moment. */
    add(message) {
      received++;
      unspoken++;
      fresh.push({ at: new Date(), message });
      if (fresh.length > LIMIT) fresh.shift();
      if (drawing) return;
      drawing = true;
      // A hidden page gets no animation frames.
      const wait = Math.max(0, drawn + PACE - performance.now());
      if (document.hidden || wait > 0) setTimeout(draw, wait);
      else requestAnimationFrame(draw);
    },
    /** Says what an empty list means just now. */
    explainEmpty: (text) => setText($("messages-empty"), text),
  };
}

function item({ at, message }) {
  const { bytes, qos, dup } = message;
  const pushMessageID = pushMessageIDOf(message) || null;
  const text = readable(bytes);
  const value = parsed(text);
  return el(
    "li",
    { class: "message", "data-push-message-id": pushMessageID },
    el(
      "p",
      { class: "message-head" },
      el("time", { datetime: at.toISOString() }, clock(at)),
      origin(value),
      el("span", {}, `${bytes.length} bytes`),
      el("span", {}, `QoS ${qos}`),
      dup ? el("span", { title: "Delivered before; sent once more" }, "again") : null,
      pushMessageID ? el("span", { class: "message-id", title: pushMessageID }, pushMessageID) : null,
    ),
    el("pre", { class: "message-body" }, ...(value === undefined ? [text] : jsonNodes(value))),
  );
}

// A client that publishes to the topic itself may send any bytes: those that are no text are
// shown as hexadecimal numbers.
function readable(bytes) {
  try {
    return UTF8.decode(bytes);
  } catch {
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
  }
}

// Kii's pushes are JSON objects; anything else is shown as it came.
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

// The topic that a message came through, which it says where its sender asked for that
// (sendTopicID), and whose topic that is (sendObjectScope).
function origin(value) {
  if (typeof value?.topic !== "string") return null;
  const kind = value.objectScopeType === "APP" ? "app topic" : "topic";
  return el("span", { class: "message-topic", "data-topic": value.topic }, `${kind} ${value.topic}`);
}
