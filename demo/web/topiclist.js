// A list of topics: which there are, which of them the one who is logged in subscribes to,
// and a button for each thing to do with one.

import { el, setText, show, showError, whileBusy } from "./dom.js";
import { curlBox } from "./curlbox.js";
import { hasCode, loginEnded } from "./api.js";

/**
 * Wires a list at its place: own topics, or with app those of the app, which can only be
 * subscribed to. who(): the one who is logged in; said(text) announces what was done;
 * hooks.changed() after each change, hooks.send(name) where a message is to be sent,
 * hooks.loggedOut(error) when the cloud no longer knows the login.
 */
export function topicList($, { kii, facts, curl, who, app, said, hooks }) {
  const rows = new Map(); // name -> row
  let next = null; // the key of the next page
  let generation = 0; // answers to earlier loads are dropped

  const topic = (name) => (app ? name : { name, ...who().topics });
  const scope = () => (app ? "" : who().scope);

  const listing = curlBox($("curl-topics"), facts, {
    summary: app ? "List the app's with a curl command" : "List them with a curl command",
    secret: "token",
    commands: [{ text: (mask) => who() && curl.listTopics(mask(who().token), scope()) }],
  });

  // Reading the list, from its beginning or on: what goes wrong is shown, unless somebody
  // else is logged in by then.
  async function read(work) {
    const login = who();
    const mine = ++generation;
    showError($("topics-error"), null);
    try {
      await work(mine);
    } catch (error) {
      if (mine !== generation || who() !== login) return;
      if (loginEnded(error)) hooks.loggedOut(error);
      else showError($("topics-error"), error);
    }
  }

  // Rows that are still there keep their place and the focus.
  const load = () =>
    read(async (mine) => {
      const seen = await page(mine, null);
      if (!seen) return;
      for (const name of [...rows.keys()]) if (!seen.includes(name)) drop(name);
      changed();
    });

  const more = () => read((mine) => page(mine, next));

  // Reads one page and gives its names; null when the answer came too late.
  async function page(mine, key) {
    const { topics, paginationKey } = await kii.listTopics(app ? null : who().topics, key);
    const marks = await Promise.all(topics.map(subscribed));
    if (mine !== generation) return null;
    next = paginationKey ?? null;
    topics.forEach((name, i) => {
      if (marks[i] !== null) put(name, marks[i]);
    });
    changed();
    return topics.filter((_, i) => marks[i] !== null);
  }

  // null where the topic has gone since the list was made.
  async function subscribed(name) {
    try {
      return await kii.isSubscribed(topic(name));
    } catch (error) {
      if (hasCode(error, "NOT_FOUND")) return null;
      throw error;
    }
  }

  function put(name, mark) {
    if (!rows.has(name)) {
      const row = topicRow(name, { app, act, send: () => hooks.send(name) });
      row.box = curlBox(row.fold, facts, { summary: "As curl commands", secret: "token", commands: commands(name) });
      rows.set(name, row);
      const after = [...$("topics").children].find((item) => item.dataset.topic > name); // sorted, as the cloud has them
      $("topics").insertBefore(row.item, after ?? null);
    }
    rows.get(name).mark(mark);
  }

  function commands(name) {
    const one = (key, label, make) => ({ name: key, label, text: (mask) => who() && make(mask(who().token)) });
    return [
      one("subscribe", "Subscribe", (token) => curl.subscribe(token, scope(), name, who().subscriber)),
      one("unsubscribe", "Unsubscribe", (token) => curl.unsubscribe(token, scope(), name, who().subscriber)),
      ...(app ? [] : [one("delete", "Delete", (token) => curl.deleteTopic(token, scope(), name))]),
    ];
  }

  function drop(name) {
    const row = rows.get(name);
    if (!row) return;
    const focused = row.item.contains(document.activeElement);
    row.item.remove();
    rows.delete(name);
    if (focused) $("topics-title").focus();
  }

  function changed() {
    show($("topics-empty"), rows.size === 0);
    show($("topics-more"), next !== null);
    hooks.changed();
  }

  // What the buttons of a row do. A topic that has gone meanwhile leaves the list.
  const actions = {
    subscribe: async (name) => {
      await kii.subscribe(topic(name));
      rows.get(name)?.mark(true);
      said(`Subscribed to ${name}.`);
    },
    unsubscribe: async (name) => {
      await kii.unsubscribe(topic(name));
      rows.get(name)?.mark(false);
      said(`No longer subscribed to ${name}.`);
    },
    delete: async (name) => {
      await kii.deleteTopic(topic(name));
      drop(name);
      said(`Deleted ${name}, with its subscriptions.`);
    },
  };

  async function act(action, name) {
    const login = who();
    showError($("topics-error"), null);
    try {
      await actions[action](name);
    } catch (error) {
      if (who() !== login) return;
      if (loginEnded(error)) {
        hooks.loggedOut(error);
        return;
      }
      if (hasCode(error, "NOT_FOUND")) drop(name);
      showError($("topics-error"), error);
    }
    changed();
  }

  $("topics-more").addEventListener("click", () => whileBusy($("topics-more"), more));

  return {
    /** Reads the list from its beginning. */
    load,
    /** Does so where something had gone wrong. */
    recover: () => ($("topics-error").hasChildNodes() ? load() : null),
    /** Takes a topic that was just created. */
    add(name) {
      put(name, false);
      changed();
    },
    names: () => [...rows.keys()],
    hears: (name) => rows.get(name)?.subscribed === true,
    /** For another login, or none. */
    reset() {
      generation++;
      next = null;
      rows.clear();
      $("topics").replaceChildren();
      showError($("topics-error"), null);
      listing.reset();
      changed();
    },
  };
}

// One topic's line: its name, the mark, the buttons and the commands.
function topicRow(name, { app, act, send }) {
  const button = (text, press, kind = "") => {
    const node = el("button", { type: "button", class: `button small ${kind}`.trim() }, text);
    node.setAttribute("aria-label", `${text} ${name}`);
    node.addEventListener("click", press);
    return node;
  };
  const mark = el("span", { class: "topic-mark", hidden: "" }, "Subscribed");
  const toggle = button("Subscribe", () => whileBusy(toggle, () => act(row.subscribed ? "unsubscribe" : "subscribe", name)));
  toggle.dataset.action = "subscribe";
  const buttons = [toggle];
  if (!app) {
    const sending = button("Send to it", send);
    const deleting = button("Delete", () => whileBusy(deleting, () => act("delete", name)), "danger");
    sending.dataset.action = "send";
    deleting.dataset.action = "delete";
    buttons.push(sending, deleting);
  }
  const fold = el("details");
  const row = {
    fold,
    subscribed: false,
    item: el(
      "li",
      { class: "topic", "data-topic": name },
      el("p", { class: "topic-head" }, el("span", { class: "topic-name" }, name), mark),
      el("div", { class: "actions" }, ...buttons),
      fold,
    ),
    mark(subscribed) {
      row.subscribed = subscribed;
      row.item.dataset.subscribed = String(subscribed);
      show(mark, subscribed);
      const text = subscribed ? "Unsubscribe" : "Subscribe";
      setText(toggle, text);
      toggle.setAttribute("aria-label", `${text} ${name}`);
    },
  };
  return row;
}
