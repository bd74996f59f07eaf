// The topics card: one's own topics, which are created, subscribed to and deleted here, and
// the app's, which an administrator creates and sends to.

import { el, setText, showError, whileBusy } from "./dom.js";
import { curlBox } from "./curlbox.js";
import { topicList } from "./topiclist.js";
import { loginEnded } from "./api.js";
import { VIA_TOPIC } from "./send.js";

const NAME = /^[A-Za-z0-9_-]{1,64}$/;
const ANNOUNCEMENT = { text: "Hello, everybody!" };

/**
 * Wires the card. who(): the one who is logged in; hooks: offer(names), the own topics
 * after each change; choose(name), to send to one; loggedOut(error).
 */
export function topicsCard($, { kii, facts, curl, who, hooks }) {
  const said = (text) => setText($("topic-result"), text);
  const shared = { kii, facts, curl, who, said };
  const own = topicList($, { ...shared, hooks: { ...hooks, changed: () => hooks.offer(own.names()), send: hooks.choose } });
  const app = topicList($.place("app-"), { ...shared, app: true, hooks: { ...hooks, changed() {} } });
  const name = () => $("topic-name").value.trim();

  const creating = curlBox($("curl-topic-create"), facts, {
    summary: "Create it with a curl command",
    secret: "token",
    commands: [
      {
        text: (mask) => who() && NAME.test(name()) && curl.createTopic(mask(who().token), who().scope, name()),
        missing: "Give the topic a name first.",
      },
    ],
  });

  async function create() {
    showError($("topic-error"), null);
    said("");
    if (!NAME.test(name())) {
      showError($("topic-error"), {
        code: "INCOMPLETE",
        message: "A topic's name has 1 to 64 of the characters A-Z, a-z, 0-9, _ and -.",
      });
      $("topic-name").focus();
      return;
    }
    try {
      const created = name();
      await kii.createTopic({ name: created, ...who().topics });
      own.add(created);
      said(`Created ${created}. Subscribe to it, and what is sent to it arrives here.`);
    } catch (error) {
      if (loginEnded(error)) hooks.loggedOut(error);
      else showError($("topic-error"), error);
    }
  }

  async function refresh() {
    said("");
    await Promise.all([own.load(), app.load()]);
  }

  $("topic-name").addEventListener("input", creating.refresh);
  $("topic-form").addEventListener("submit", (event) => {
    event.preventDefault();
    whileBusy($("topic-create"), create);
  });
  $("topics-refresh").addEventListener("click", () => whileBusy($("topics-refresh"), refresh));

  return {
    hears: own.hears,
    /** Shows the topics of the one who has just logged in. */
    async open() {
      creating.refresh();
      await Promise.all([own.load(), app.load()]);
    },
    /** The cloud can be reached again. */
    recover() {
      own.recover();
      app.recover();
    },
    reset() {
      own.reset();
      app.reset();
      creating.reset();
      said("");
      showError($("topic-error"), null);
    },
  };
}

/** Fills the fold with what an administrator does from a terminal. The page knows no secret of theirs. */
export function adminCommands($, facts, curl) {
  const topic = () => $("app-topic-name").value.trim();
  const named = (make) => () => (NAME.test(topic()) ? make(topic()) : "");
  const missing = "Give the topic a name first.";
  const box = curlBox($("curl-admin"), facts, {
    summary: "Create a topic of the app and send to it, with curl",
    about: [
      el(
        "p",
        { class: "hint" },
        "Set CLIENT_ID and CLIENT_SECRET in your shell first: they are the clientID and clientSecret of the line ",
        el("code", {}, "ready {…}"),
        " that the server printed when it started. This page does not know them.",
      ),
      $("app-topic-field"),
    ],
    commands: [
      { name: "login", label: "1. Log in as an administrator", text: () => curl.adminLogIn() },
      { name: "create", label: "2. Create the app's topic", missing, text: named(curl.adminCreateTopic) },
      {
        name: "send",
        label: "3. Send to all who subscribe",
        missing,
        text: named((name) => curl.adminSendToTopic(name, { data: ANNOUNCEMENT, ...VIA_TOPIC })),
      },
    ],
  });
  $("app-topic-name").addEventListener("input", box.refresh);
}
