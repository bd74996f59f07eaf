// One who can log in and receive push, a user or a thing: the form, then the cards. Each
// has a client of its own and so a login and a connection of its own.

import { setText, show } from "./dom.js";
import { fault, hasCode } from "./api.js";
import { authForm } from "./auth.js";
import { curlFor } from "./curl.js";
import { memory } from "./memory.js";
import { messageList } from "./messages.js";
import { pushCard } from "./push.js";
import { sendCard } from "./send.js";
import { topicsCard } from "./topics.js";

/** Wires the part of the page at $ for one of a kind; see kinds.js. left() is told after each log out. */
export function member($, { kii, facts, kind, left = () => {} }) {
  const curl = curlFor(facts);
  const kept = memory(kind.key);
  let login = null; // { name, token, userID or thingID, expiresAt, scope, topics, subscriber }
  const who = () => login;

  const shared = { kii, facts, curl, who, words: kind.words };
  // Several calls may find out at once; the first one leaves.
  const loggedOut = (error) => (login ? leave(error) : null);
  const messages = messageList($);
  const form = authForm($, { kind, memory: kept, facts, curl, onSubmit: enter });
  const send = sendCard($, { ...shared, hears: (name) => topics.hears(name), loggedOut });
  const topics = topicsCard($, { ...shared, hooks: { offer: send.offer, choose: send.choose, loggedOut } });
  const push = pushCard($, {
    ...shared,
    messages,
    hooks: { started: () => kept.keepPush(true), stopped: () => kept.keepPush(false), arrived: send.arrived, online: () => topics.recover(), loggedOut },
  });
  for (const [id, text] of Object.entries(kind.titles ?? {})) setText($(id), text);
  $("logout").addEventListener("click", () => leave());

  // Logs in as the form says; what it throws is shown there.
  async function enter({ mode, name, password }) {
    const answer = await (mode === "register" ? kind.register : kind.logIn)(kii, name, password);
    const session = { name, token: answer.token, expiresAt: answer.expiresAt, ...kind.owner(answer) };
    kept.keepSession({ ...session, push: false });
    await open(session);
    $("start-push").focus();
  }

  async function open(session) {
    login = { ...session, ...kind.scope(session) };
    form.close();
    setText($("account-name"), login.name);
    $("account-name").title = login.name; // a narrow window shows its beginning
    show($("account"), true);
    show($("app-view"), true);
    await clear();
    topics.open();
  }

  // Leaves nothing of an earlier login in the cards.
  async function clear() {
    messages.clear();
    topics.reset();
    send.reset();
    await push.reset();
  }

  async function leave(reason = null) {
    if (hasCode(reason, "NOT_LOGGED_IN")) reason = fault(reason.code, kind.words.leftElsewhere, "Log in again.");
    login = null;
    kept.keepSession(null);
    await clear();
    // The tab has forgotten the login either way.
    await kii.logout().catch((error) => (reason ??= error));
    show($("app-view"), false);
    show($("account"), false);
    form.open({ reason });
    await left();
  }

  return {
    leave,
    /** Goes on where the tab was before a reload, or opens the form. */
    async resume() {
      const session = kept.session();
      if (!session) {
        form.open({ focus: false });
        return;
      }
      await kii.useToken(session.token, kind.owner(session));
      await open(session);
      if (session.push) await push.start();
    },
    loggedIn: () => login !== null,
  };
}
