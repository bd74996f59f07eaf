// The journey of a push: install, endpoint, connect, receive; and its ends.

import { clock, duration, setText, show, showError } from "./dom.js";
import { curlBox } from "./curlbox.js";
import { stepsView } from "./steps.js";
import { stateView } from "./state.js";
import { loginEnded, pushMessageIDOf } from "./api.js";

const KEEP_ALIVE = 60; // s
const QOS = 1;
const PACE = 50; // ms between two drawings of the count
const DEVELOPMENT = false; // installs for the production environment

// What the big button says where it does not start from the beginning. After the login has
// ended it leads to the form.
const START = { closed: "Connect again", failed: "Try again" };
const START_OVER = "Log in again";

const EMPTY = {
  off: "Nothing yet. Start push, then send a message.",
  on: "Nothing yet. Send a message and it appears here.",
  uninstalled: "Push is uninstalled, so nothing arrives here.",
};

/**
 * Wires a push card. messages: the list to fill; curl: the commands; who(): the one who
 * is logged in. hooks: started() and stopped(), for what a reload is to do;
 * loggedOut(error), when the cloud no longer knows the login; arrived(pushMessageID);
 * online(), when the cloud can be reached again.
 */
export function pushCard($, { kii, facts, curl, messages, who, hooks }) {
  const steps = stepsView($);
  const view = stateView($);
  let attempt = null; // AbortController of the start that is under way
  let installation = null; // what the install answered, until the uninstall
  let connection = null;
  let uninstalling = false;
  let loginOver = null; // the error for which only another login helps
  const boxes = curlBoxes();

  const buttons = () => {
    const state = view.current();
    const live = connection !== null && !["closed", "failed", "uninstalled"].includes(state);
    show($("start-push"), !attempt && !live);
    setText($("start-push"), loginOver ? START_OVER : (START[state] ?? "Start push"));
    show($("cancel-push"), attempt !== null);
    show($("take-back"), state === "displaced");
    show($("try-now"), live && state === "waiting");
    show($("disconnect"), live && !attempt && state !== "displaced");
    show($("uninstall"), installation !== null && !attempt);
    show($("curl-uninstall"), installation !== null && !attempt);
  };

  const state = (change) => {
    const cameOnline = change.state === "online" && view.current() !== "online";
    loginOver = change.state === "failed" && loginEnded(change) ? (change.error ?? change) : null;
    view.show(change);
    buttons();
    if (!cameOnline) return;
    showError($("push-error"), null);
    hooks.online();
  };

  // The same three calls for a terminal; two of them need what the install answers.
  function curlBoxes() {
    const box = (id, summary, text) =>
      curlBox($(id), facts, {
        summary,
        secret: "token",
        commands: [{ text, missing: "Start push first: the command holds the id that the install answers." }],
      });
    const all = [
      box("curl-install", "Install with a curl command", (mask) => who() && curl.install(mask(who().token), DEVELOPMENT)),
      box("curl-endpoint", "Ask with a curl command", (mask) => installation && curl.endpoint(mask(who().token), installation.installationID)),
      box("curl-uninstall", "Uninstall with a curl command", (mask) =>
        installation && curl.uninstall(mask(who().token), installation.installationRegistrationID)),
    ];
    return { refresh: () => all.forEach((one) => one.refresh()), reset: () => all.forEach((one) => one.reset()) };
  }

  function installed(value) {
    installation = value;
    boxes.refresh();
  }

  async function start() {
    if (attempt) return;
    await drop();
    attempt = new AbortController();
    const { signal } = attempt;
    steps.reset();
    showError($("push-error"), null);
    state({ state: "starting" });
    hooks.started();
    try {
      await journey(signal);
    } catch (error) {
      failed(error, signal);
    } finally {
      if (attempt?.signal === signal) attempt = null;
      buttons();
    }
  }

  async function journey(signal) {
    installed(await steps.run("install", () => kii.installMqtt(DEVELOPMENT, { signal })));
    steps.values("install", [
      ["installationID", installation.installationID],
      ["installationRegistrationID", installation.installationRegistrationID],
    ]);
    const endpoint = await steps.run("endpoint", () => kii.getMqttEndpoint(installation.installationID, { signal }));
    steps.values("endpoint", endpointValues(endpoint));
    state({ state: "connecting" });
    const opened = await steps.run("connect", () => kii.connect(endpoint, { keepAlive: KEEP_ALIVE, qos: QOS, signal }));
    watch(opened);
    steps.values("connect", [
      ["clientID", endpoint.mqttTopic],
      ["subscribed", endpoint.mqttTopic],
      ["keepAlive", `${KEEP_ALIVE} s`],
      ["qos", QOS],
    ]);
  }

  // Listens to a connection until another takes its place. While the uninstall is under
  // way its state is not shown: that it ends is what was asked for. REVOKED otherwise
  // means that somebody else has uninstalled.
  function watch(opened) {
    connection = opened;
    const mine = (handler) => (event) => {
      if (connection === opened) handler(event);
    };
    const ownState = mine((change) => {
      if (uninstalling) return;
      if (change.code === "REVOKED") gone(change);
      else state(change);
    });
    steps.open("receive");
    messages.explainEmpty(EMPTY.on);
    opened.on("message", mine(receive(opened)));
    opened.on("state", ownState);
    state(opened.lastChange);
  }

  // The count on show follows in steps: drawing it for each message would hold up many.
  function receive(opened) {
    const since = performance.now();
    let count = 0;
    let last = null;
    let due = false;
    const draw = () => {
      due = false;
      if (connection !== opened) return;
      steps.values("receive", [
        ["count", count],
        ["last", clock(last)],
      ]);
    };
    return (message) => {
      count++;
      if (count === 1) steps.finish("receive", performance.now() - since, "first after");
      last = new Date();
      if (!due) setTimeout(draw, PACE);
      due = true;
      messages.add(message);
      hooks.arrived(pushMessageIDOf(message));
    };
  }

  function failed(error, signal) {
    if (signal.aborted) {
      steps.reset();
      state({ state: "idle" });
      return;
    }
    state({ state: "failed", code: error?.code, reason: "Push did not start; the step below says why" });
    if (loginEnded(error)) hooks.loggedOut(error);
  }

  /** Lets the connection go, without a word about it. */
  async function drop() {
    const old = connection;
    connection = null;
    attempt?.abort();
    attempt = null;
    await old?.close().catch(() => {}); // it is gone either way
  }

  async function disconnect() {
    hooks.stopped();
    await drop();
    showError($("push-error"), null);
    state({ state: "closed" });
    focusTitle();
  }

  // Where the installation has ended; change is null when it was ended here.
  function gone(change) {
    hooks.stopped();
    installed(null);
    state({ ...change, state: "uninstalled" });
    messages.explainEmpty(EMPTY.uninstalled);
  }

  async function uninstall() {
    if (uninstalling) return;
    uninstalling = true;
    showError($("push-error"), null);
    try {
      await kii.uninstall(installation.installationRegistrationID, "MQTT");
      await drop();
      steps.reset();
      gone(null);
      focusTitle();
    } catch (error) {
      if (loginEnded(error)) {
        hooks.loggedOut(error);
        return;
      }
      showError($("push-error"), error);
      if (connection) state(connection.lastChange);
    } finally {
      uninstalling = false;
    }
  }

  async function takeBack() {
    showError($("push-error"), null);
    try {
      await connection.takeBack();
      focusTitle();
    } catch (error) {
      showError($("push-error"), error);
    }
  }

  // A button that has gone takes the focus with it; the card's title is near.
  function focusTitle() {
    if (document.activeElement === document.body || document.activeElement?.hidden) $("push-title").focus();
  }

  $("start-push").addEventListener("click", () => (loginOver ? hooks.loggedOut(loginOver) : start().then(focusTitle)));
  $("try-now").addEventListener("click", () => {
    connection?.wake();
    $("push-title").focus(); // the button goes
  });
  $("cancel-push").addEventListener("click", () => {
    hooks.stopped();
    attempt?.abort();
  });
  $("disconnect").addEventListener("click", disconnect);
  $("uninstall").addEventListener("click", uninstall);
  $("take-back").addEventListener("click", takeBack);

  return {
    start,
    /** Back to the beginning: nobody is logged in. */
    async reset() {
      const gone = drop();
      installed(null);
      boxes.reset();
      steps.reset();
      showError($("push-error"), null);
      messages.explainEmpty(EMPTY.off);
      state({ state: "idle" });
      await gone;
    },
  };
}

function endpointValues(endpoint) {
  const ttl = endpoint["X-MQTT-TTL"];
  return [
    ["mqttTopic", endpoint.mqttTopic],
    ["host", endpoint.host],
    ...["portWS", "portWSS", "portTCP", "portSSL"].filter((name) => endpoint[name]).map((name) => [name, endpoint[name]]),
    ["username", endpoint.username],
    ["password", endpoint.password, "secret"],
    ["expires", lifetime(ttl)],
  ];
}

// The usual TTL, 2147483647 s, is 68 years: the protocol's way to say never.
function lifetime(seconds) {
  if (!seconds || seconds >= 2_000_000_000) return "never";
  return `in ${duration(seconds * 1000)}`;
}
