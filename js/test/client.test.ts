import assert from "node:assert/strict";
import { test } from "node:test";

import type { Host } from "../src/host.js";
import type { CallOptions, Kii, Topic } from "../types/index.js";
import { newClient } from "./newclient.js";

type Call = [method: string, args: unknown[], options: CallOptions];

/** A client whose calls are kept, and answered by answer. */
function client(answer: (method: string) => unknown = () => undefined) {
  const calls: Call[] = [];
  const host: Host = {
    place: { name: "worker", reason: null },
    call: async (...call) => {
      calls.push(call);
      return answer(call[0]);
    },
    connect: () => Promise.reject(new Error("not here")),
    end: () => {},
    signal: () => {},
  };
  return { kii: newClient(() => host) as Kii, calls };
}

const mine: Topic = { name: "news", userID: "me" };
const message = { data: { text: "hello" } };

test("methods reach the program under their own names, with all arguments", async () => {
  const { kii, calls } = client();
  const options = { timeout: 5 };
  const want: unknown[] = [];
  const expect = (method: string, ...args: unknown[]) => want.push([method, args, 5]);
  await kii.createTopic("news", options), expect("createTopic", "news");
  await kii.deleteTopic(mine, options), expect("deleteTopic", mine);
  await kii.topicExists(mine, options), expect("topicExists", mine);
  await kii.listTopics({ thingID: "t" }, "key", options), expect("listTopics", { thingID: "t" }, "key");
  await kii.listTopics(undefined, undefined, options), expect("listTopics", undefined, undefined);
  await kii.subscribe("news", options), expect("subscribe", "news");
  await kii.unsubscribe("news", options), expect("unsubscribe", "news");
  await kii.isSubscribed("news", options), expect("isSubscribed", "news");
  await kii.sendToTopic(mine, message, options), expect("sendToTopic", mine, message);
  await kii.sendToMe(message, options), expect("sendToMe", message);
  assert.deepEqual(calls.map(([method, args, { timeout }]) => [method, args, timeout]), want);
});

test("answers come back as they are", async () => {
  const answers: Record<string, unknown> = {
    topicExists: false,
    isSubscribed: true,
    listTopics: { topics: ["a"], paginationKey: "k" },
    sendToTopic: { pushMessageID: "p" },
  };
  const { kii } = client((method) => answers[method]);
  assert.equal(await kii.topicExists("news"), false);
  assert.equal(await kii.isSubscribed("news"), true);
  assert.deepEqual(await kii.listTopics(), answers.listTopics);
  assert.deepEqual(await kii.sendToTopic("news", message), answers.sendToTopic);
});

test("a thing that has entered is the current login, until it leaves", async () => {
  let login: unknown = { thingID: "first", token: "t1" };
  const { kii, calls } = client(() => {
    if (login instanceof Error) throw login;
    return login;
  });
  assert.equal(await kii.registerThing("v", "p"), login);
  assert.equal(kii.current, login);
  login = { thingID: "second", token: "t2" };
  await kii.loginAsThing("v", "p");
  assert.equal(kii.current, login);
  login = new Error("wrong password");
  await assert.rejects(kii.loginAsThing("v", "q"), { message: "wrong password" });
  assert.equal(kii.current?.thingID, "second", "the login before stays");
  login = undefined;
  await kii.logout();
  assert.equal(kii.current, null);
  assert.deepEqual(calls.map(([method, args]) => [method, ...args]), [
    ["registerThing", "v", "p"],
    ["loginAsThing", "v", "p"],
    ["loginAsThing", "v", "q"],
    ["logout"],
  ]);
});

test("signals of the browser count from the first attempt to connect until it has failed", async (t) => {
  const window = new EventTarget();
  globalThis.addEventListener = window.addEventListener.bind(window);
  globalThis.removeEventListener = window.removeEventListener.bind(window);
  t.after(() => {
    Reflect.deleteProperty(globalThis, "addEventListener");
    Reflect.deleteProperty(globalThis, "removeEventListener");
  });
  const told: string[] = [];
  let fail!: (reason: unknown) => void;
  const host: Host = {
    place: { name: "worker", reason: null },
    call: async () => undefined,
    connect: () => new Promise((_resolve, reject) => (fail = reject)),
    end: () => {},
    signal: (signal, cause) => void told.push(`${signal} ${cause}`),
  };
  const kii = newClient(() => host);
  const endpoint = { installationID: "i", username: "u", password: "p", mqttTopic: "t", host: "h" };
  const connecting = kii.connect(endpoint);
  window.dispatchEvent(new Event("online"));
  fail(new Error("no"));
  await assert.rejects(connecting, { message: "no" });
  window.dispatchEvent(new Event("online"));
  assert.deepEqual(told, ["wake online"]);
});

test("a client tells where it runs", () => {
  const { kii } = client();
  assert.equal(kii.host, "worker");
  assert.equal(kii.hostReason, null);
});

test("call options are checked before anything is done", async () => {
  const { kii, calls } = client();
  const wrong = { timeout: 0 };
  for (const call of [kii.createTopic("n", wrong), kii.listTopics(null, null, wrong), kii.registerThing("v", "p", wrong)]) {
    await assert.rejects(call, { code: "INVALID_ARGUMENT" });
  }
  assert.deepEqual(calls, []);
});
