// The connection's state: a badge, the reason, and the countdown to the next try.

import { setText, show } from "./dom.js";

const LABELS = {
  idle: "Not connected",
  starting: "Starting",
  connecting: "Connecting",
  online: "Online",
  waiting: "Waiting",
  displaced: "Displaced",
  closed: "Disconnected",
  failed: "Stopped",
  uninstalled: "Uninstalled",
};

// What to say where the state carries no reason of its own.
const REASONS = {
  idle: "Push is not started in this tab.",
  starting: "Following the four steps below.",
  connecting: "Connecting to the broker.",
  online: "Subscribed. Messages arrive at once.",
  waiting: "The connection was lost.",
  displaced: "Another tab or device has taken this connection over.",
  closed: "Disconnected. Messages sent meanwhile wait for the next connection.",
  failed: "The connection has ended.",
  uninstalled: "Push is uninstalled: messages sent now do not arrive.",
};

// States whose own words say more to a person than the protocol's reason would. An end
// that came with a code was not asked for here, so its reason is shown.
const OWN_WORDS = new Set(["idle", "starting", "online", "displaced", "uninstalled"]);

function hasOwnWords(state, code, reason) {
  return !reason || OWN_WORDS.has(state) || (state === "closed" && !code);
}

const TICK = 250; // ms between two looks at the clock

/** The view of one connection's state, at its place of the page. */
export function stateView($) {
  let ticking = 0;
  let current = "idle";

  // The countdown is no live region: read out each second it would drown everything else.
  function countDown(ms) {
    clearInterval(ticking);
    const line = $("state-countdown");
    show(line, ms > 0);
    if (ms <= 0) return;
    const due = performance.now() + ms;
    const tick = () => {
      const left = Math.ceil((due - performance.now()) / 1000);
      setText(line, left > 0 ? `Next try in ${left} s` : "Trying again…");
      if (left <= 0) clearInterval(ticking);
    };
    tick();
    ticking = setInterval(tick, TICK);
  }

  return {
    /** The state that is shown. */
    current: () => current,
    /** Shows a change { state, code, reason, retryIn (ms) } as the connection reports it. */
    show({ state, code = "", reason = "", retryIn = 0 }) {
      current = state;
      const badge = $("state-badge");
      badge.dataset.state = state;
      setText(badge, LABELS[state] ?? state);
      const own = hasOwnWords(state, code, reason);
      setText($("state-reason"), own ? (REASONS[state] ?? "") : sentence(reason));
      setText($("state-code"), code);
      show($("state-code"), code !== "");
      countDown(state === "waiting" ? retryIn : 0);
    },
  };
}

function sentence(text) {
  const trimmed = text.trim();
  return trimmed[0].toUpperCase() + trimmed.slice(1) + (/[.!?]$/.test(trimmed) ? "" : ".");
}
