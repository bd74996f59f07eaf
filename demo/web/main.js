// The page: who is logged in decides what is shown; the parts do the rest.

import { $, setText, show, showError } from "./dom.js";
import { cloud, fault, library } from "./api.js";
import { authForm } from "./auth.js";
import { clearMessages } from "./messages.js";
import { keepPush, keepSession, session } from "./memory.js";
import { pushCard } from "./push.js";
import { sendCard } from "./send.js";

async function main() {
  const facts = await cloud();
  if (facts.notice) throw fault("SETUP", facts.notice, "");
  const kii = await library(facts);

  let login = null; // { loginName, userID, token, expiresAt }
  const form = authForm(enter);
  const send = sendCard(kii, facts, () => login?.token ?? "");
  const push = pushCard(kii, {
    started: () => keepPush(true),
    stopped: () => keepPush(false),
    arrived: send.arrived,
    loggedOut: (error) => leave(error),
  });
  $("logout").addEventListener("click", () => leave());
  $("messages-clear").addEventListener("click", () => {
    clearMessages();
    $("messages-title").focus();
  });

  // Logs in as the form says; what it throws is shown there.
  async function enter({ mode, name, password }) {
    const { userID, token, expiresAt } = await (mode === "register" ? kii.register(name, password) : kii.login(name, password));
    login = { loginName: name, userID, token, expiresAt };
    keepSession({ ...login, push: false });
    await open();
    $("start-push").focus();
  }

  async function open() {
    form.close();
    setText($("account-name"), login.loginName);
    show($("account"), true);
    show($("app-view"), true);
    clearMessages();
    await push.reset();
    send.reset();
  }

  async function leave(reason = null) {
    login = null;
    keepSession(null);
    await push.reset();
    send.reset();
    clearMessages();
    await kii.logout();
    show($("app-view"), false);
    show($("account"), false);
    form.open({ reason });
  }

  const kept = session();
  if (!kept) {
    form.open({ focus: false });
    return;
  }
  login = kept;
  await kii.useToken(kept.token, { userID: kept.userID });
  await open();
  if (kept.push) await push.start();
}

main().catch((error) => {
  console.error(error);
  showError($("banner"), error);
});
