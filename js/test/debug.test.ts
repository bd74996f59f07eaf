import assert from "node:assert/strict";
import { test } from "node:test";

import { DebugLog } from "../src/debug/log.js";
import { Conversation } from "../src/debug/packets.js";
import { refusalName } from "../src/debug/names.js";
import type { Host, Sink } from "../src/host.js";
import type { DebugEntry } from "../types/index.js";
import { aborted } from "../src/errors.js";

type Test = { after(end: () => unknown): void };

/** The bytes of a packet: a first byte, and what follows its length; text counts as UTF-8 with its length in front. */
function packet(first: number, ...parts: (number | string | Uint8Array)[]): Uint8Array {
  const body = parts.flatMap((part) => {
    if (typeof part === "number") return [part];
    if (typeof part !== "string") return [...part];
    const bytes = new TextEncoder().encode(part);
    return [bytes.length >> 8, bytes.length & 255, ...bytes];
  });
  const length = [];
  for (let rest = body.length; ; rest >>= 7) {
    length.push((rest & 127) | (rest > 127 ? 128 : 0));
    if (rest < 128) break;
  }
  return Uint8Array.from([first, ...length, ...body]);
}

const connect = (version: number, ...properties: number[]) =>
  packet(0x10, "MQTT", version, 0xc2, 0, 60, ...(version === 5 ? [properties.length, ...properties] : []), "client", "SECRET user", "SECRET password");

/** A conversation after CONNECT of that version. */
function talk(version: 5 | 4 | 3): Conversation {
  const conversation = new Conversation();
  conversation.describe(connect(version), true);
  return conversation;
}

test("CONNECT is told without who logs in", () => {
  const told = new Conversation().describe(connect(5, 0x11, 0, 0, 0, 9, 0x26, 0, 1, 107, 0, 1, 118, 0x16, 0, 2, 1, 2), true);
  assert.deepEqual(told, [
    {
      name: "CONNECT", bytes: 68, protocol: 5, cleanStart: true, keepAlive: 60, clientID: "client",
      properties: { sessionExpiry: 9, userProperties: 1, authenticationData: "2 bytes" },
    },
  ]);
  assert.ok(!JSON.stringify(told).includes("SECRET"));
});

test("each packet is told as its version has it", () => {
  const five = talk(5);
  const four = talk(4);
  const cases: [Conversation, boolean, Uint8Array, object][] = [
    [five, false, packet(0x20, 1, 0, 3, 0x21, 0, 20), { name: "CONNACK", sessionPresent: true, reasonCodes: [{ code: 0, name: "Success" }], properties: { receiveMaximum: 20 } }],
    [five, false, packet(0x20, 0, 0x87, 0), { name: "CONNACK", sessionPresent: false, reasonCodes: [{ code: 0x87, name: "Not authorized" }] }],
    [four, false, packet(0x20, 0, 5), { name: "CONNACK", sessionPresent: false, reasonCodes: [{ code: 5, name: "Not authorized" }] }],
    [four, false, packet(0x20, 0, 4), { name: "CONNACK", sessionPresent: false, reasonCodes: [{ code: 4, name: "Bad user name or password" }] }],
    [five, false, packet(0x32, "a", 0, 1, 19, 0x26, "pushMessageID", "x"), { name: "PUBLISH", topic: "a", qos: 1, retain: false, dup: false, packetId: 1, payloadBytes: 0, properties: { userProperties: 1, pushMessageID: "x" } }],
    [five, false, packet(0x3b, "a/b", 1, 2, 0, 104, 105), { name: "PUBLISH", topic: "a/b", qos: 1, retain: true, dup: true, packetId: 258, payloadBytes: 2 }],
    [four, true, packet(0x30, "a", 104), { name: "PUBLISH", topic: "a", qos: 0, retain: false, dup: false, payloadBytes: 1 }],
    [five, true, packet(0x40, 1, 2), { name: "PUBACK", packetId: 258, reasonCodes: [{ code: 0, name: "Success" }] }],
    [five, false, packet(0x40, 1, 2, 0x10), { name: "PUBACK", packetId: 258, reasonCodes: [{ code: 0x10, name: "No matching subscribers" }] }],
    [five, false, packet(0x50, 0, 1, 0x97, 5, 0x1f, 0, 2, 110, 111), { name: "PUBREC", packetId: 1, reasonCodes: [{ code: 0x97, name: "Quota exceeded" }], properties: { reasonString: "no" } }],
    [four, false, packet(0x62, 0, 1), { name: "PUBREL", packetId: 1 }],
    [four, true, packet(0x70, 0, 1), { name: "PUBCOMP", packetId: 1 }],
    [five, true, packet(0x82, 0, 1, 2, 0x0b, 7, "a", 1, "b/#", 2), { name: "SUBSCRIBE", packetId: 1, properties: { subscriptionID: 7 }, filters: [{ filter: "a", qos: 1 }, { filter: "b/#", qos: 2 }] }],
    [four, true, packet(0x82, 0, 1, "a", 0), { name: "SUBSCRIBE", packetId: 1, filters: [{ filter: "a", qos: 0 }] }],
    [five, false, packet(0x90, 0, 1, 0, 0, 0x87), { name: "SUBACK", packetId: 1, reasonCodes: [{ code: 0, name: "Granted QoS 0" }, { code: 0x87, name: "Not authorized" }] }],
    [four, false, packet(0x90, 0, 1, 0x80), { name: "SUBACK", packetId: 1, reasonCodes: [{ code: 0x80, name: "Failure" }] }],
    [five, true, packet(0xa2, 0, 1, 0, "a"), { name: "UNSUBSCRIBE", packetId: 1, filters: [{ filter: "a" }] }],
    [five, false, packet(0xb0, 0, 1, 0, 0x11), { name: "UNSUBACK", packetId: 1, reasonCodes: [{ code: 0x11, name: "No subscription existed" }] }],
    [four, false, packet(0xb0, 0, 1), { name: "UNSUBACK", packetId: 1 }],
    [five, true, packet(0xc0), { name: "PINGREQ" }],
    [five, false, packet(0xd0), { name: "PINGRESP" }],
    [five, true, packet(0xe0), { name: "DISCONNECT", reasonCodes: [{ code: 0, name: "Normal disconnection" }] }],
    [four, true, packet(0xe0), { name: "DISCONNECT" }],
    [five, false, packet(0xe0, 0x8e, 0), { name: "DISCONNECT", reasonCodes: [{ code: 0x8e, name: "Session taken over" }] }],
    [five, false, packet(0xe0, 0x7f), { name: "DISCONNECT", reasonCodes: [{ code: 0x7f, name: "unknown" }] }],
    [five, false, packet(0xf0, 0x18, 0), { name: "AUTH", reasonCodes: [{ code: 0x18, name: "Continue authentication" }] }],
  ];
  for (const [conversation, sent, bytes, want] of cases) assert.deepEqual(conversation.describe(bytes, sent), [{ bytes: bytes.length, ...want }]);
});

test("frames hold many packets, or parts of one, each way for itself", () => {
  const ping = packet(0xd0);
  const publish = packet(0x30, "topic", 0, ...Array<number>(300).fill(1));
  const stream = [...ping, ...publish, ...ping, ...publish];
  for (let size = 1; size <= stream.length; size++) {
    const conversation = talk(5);
    const names: unknown[] = [];
    for (let at = 0; at < stream.length; at += size) {
      const frame = Uint8Array.from(stream.slice(at, at + size));
      names.push(...conversation.describe(frame, false).map(({ name, payloadBytes }) => payloadBytes ?? name));
      assert.deepEqual(conversation.describe(packet(0xc0), true).map(({ name }) => name), ["PINGREQ"]);
      frame.fill(255); // the bytes are the sender's
    }
    assert.deepEqual(names, ["PINGRESP", 300, "PINGRESP", 300], `frames of ${size}`);
  }
});

test("what is no packet ends nothing but its own telling", () => {
  const broken = { malformed: true };
  assert.deepEqual(talk(5).describe(Uint8Array.of(0x30, 255, 255, 255, 255, 1), false), [{ name: null, bytes: 0, ...broken }]);
  const conversation = talk(5);
  conversation.describe(Uint8Array.of(0x30, 255, 255, 255, 255, 1), false);
  assert.deepEqual(conversation.describe(packet(0xd0), false), []);
  assert.deepEqual(talk(5).describe(packet(0x00), false), [{ name: null, bytes: 2, ...broken }]);
  assert.deepEqual(talk(5).describe(packet(0x30, 0, 9, 65), false), [{ name: "PUBLISH", bytes: 5, qos: 0, retain: false, dup: false, ...broken }]);
  assert.deepEqual(talk(5).describe(packet(0x30, "a", 2, 0x7e, 0), false), [{ name: "PUBLISH", bytes: 8, qos: 0, retain: false, dup: false, topic: "a", ...broken }]);
  let seed = 1;
  const random = () => (seed = (seed * 48271) % 2147483647);
  for (let round = 0; round < 2000; round++) {
    const bytes = Uint8Array.from({ length: random() % 40 }, () => random());
    for (const told of talk(5).describe(bytes, round % 2 === 0)) assert.ok("bytes" in told);
  }
});

test("codes with which brokers end a connection have the names of their version", () => {
  assert.deepEqual([refusalName(4), refusalName(0x86), refusalName(0x8e), refusalName(9)], ["Bad user name or password", "Bad User Name or Password", "Session taken over", "unknown"]);
});

/** A log and what it has told, with a host that plays along. */
function logged(t: Test, own: Partial<Host> = {}) {
  const entries: DebugEntry[] = [];
  const log = new DebugLog((entry) => void entries.push(entry));
  const place = { name: null as "main" | null, reason: null, tabs: null as "leader" | null };
  const host = log.watch({
    place,
    call: async () => "value",
    connect: async () => ({ call: async () => undefined, wake: () => {} }),
    signal: () => {},
    end: () => {},
    ...own,
  });
  const { reportError } = globalThis;
  t.after(() => Object.assign(globalThis, { reportError }));
  const words = async () => {
    await new Promise((resolve) => setTimeout(resolve, 1));
    return entries.splice(0).map(({ text }) => text.replace(/(→ .*) in \d+ ms$/, "$1 in N ms"));
  };
  return { log, host, place, entries, words };
}

test("calls, states and signals are told, and none of their arguments", async (t) => {
  let sink!: Sink;
  const { host, place, entries, words } = logged(t, {
    call: async (method) => {
      if (method === "uninstall") throw aborted(AbortSignal.abort());
      place.name = "main";
      return { token: "SECRET" };
    },
    connect: async (_, __, given) => {
      sink = given;
      return { call: async () => undefined, wake: () => {} };
    },
  });
  assert.deepEqual(await host.call("login", ["alice", "SECRET"], {}), { token: "SECRET" });
  assert.deepEqual(await words(), ["login (1)", "module: main; tabs: none", "login (1) → done in N ms"]);
  await assert.rejects(host.call("uninstall", ["id"], {}), { code: "ABORTED" });
  assert.deepEqual(await words(), ["uninstall (2)", "uninstall (2) → ABORTED in N ms"]);
  const states: string[] = [];
  const own: Sink = { batch: () => {}, sent: () => {}, state: ({ state }) => void states.push(state) };
  const link = await host.connect({ installationID: "i", username: "u", password: "SECRET", mqttTopic: "t", host: "h" }, {}, own, {});
  sink.state({ state: "waiting", code: "NETWORK", reason: "gone", reasonCode: 0x8b, retryIn: 1500 });
  await link.call("publish", ["t", "SECRET"], {});
  host.signal("wake", "online");
  place.tabs = "leader";
  sink.state({ state: "closed", reason: "" });
  assert.deepEqual(states, ["waiting", "closed"]);
  await new Promise((resolve) => setTimeout(resolve, 1));
  assert.ok(!JSON.stringify(entries).includes("SECRET"));
  assert.deepEqual(await words(), [
    "connection 1 connect (3)",
    "connection 1 connect (3) → done in N ms",
    "connection 1: waiting, NETWORK, Server shutting down (0x8b), gone, again in 1500 ms",
    "connection 1 publish (4)",
    "connection 1 publish (4) → done in N ms",
    "wake: online",
    "module: main; tabs: leader",
    "connection 1: closed",
  ]);
});

/** As much of a WebSocket as a tap looks at. */
class FakeSocket extends EventTarget {
  readonly url = "wss://user:SECRET@host/mqtt?token=SECRET#x";
  readonly protocol = "mqtt";
  readonly sent: number[] = [];
  send(bytes: Uint8Array): void {
    this.sent.push(bytes.length);
  }
  say(type: string, fields: object = {}): void {
    this.dispatchEvent(Object.assign(new Event(type), fields));
  }
}

test("a WebSocket is told of, and does what it did before", async (t) => {
  const { log, words } = logged(t);
  const socket = new FakeSocket();
  log.tap.socket(socket as unknown as WebSocket);
  socket.say("open");
  socket.send(packet(0xc0));
  socket.say("message", { data: packet(0xd0).buffer });
  socket.say("message", { data: "text" });
  socket.say("close", { code: 1006, reason: "" });
  socket.say("message", { data: packet(0xd0).buffer }); // too late
  assert.deepEqual(socket.sent, [2]);
  assert.deepEqual(await words(), ["#1 opening, wss://host/mqtt", "#1 open, mqtt", "#1 → PINGREQ, 2 bytes", "#1 ← PINGRESP, 2 bytes", "#1 closed, 1006"]);
});

test("requests are told of with their status, or how they failed", async (t) => {
  const { fetch } = globalThis;
  t.after(() => (globalThis.fetch = fetch));
  const { log, words } = logged(t);
  globalThis.fetch = async () => new Response("SECRET", { status: 503 });
  assert.equal(await (await log.tap.fetch("https://host/api/oauth2/token?x=SECRET", { method: "POST" })).text(), "SECRET");
  assert.deepEqual(await words(), ["POST https://host/api/oauth2/token (1)", "POST https://host/api/oauth2/token (1) → 503 in N ms"]);
  globalThis.fetch = () => Promise.reject(new TypeError("SECRET"));
  await assert.rejects(log.tap.fetch("https://host/x", { method: "GET" }), TypeError);
  assert.deepEqual(await words(), ["GET https://host/x (2)", "GET https://host/x (2) → TypeError in N ms"]);
});

test("what the user's function throws is reported, and the rest is told", async (t) => {
  const reported: unknown[] = [];
  const told: number[] = [];
  const { reportError } = globalThis;
  t.after(() => Object.assign(globalThis, { reportError }));
  globalThis.reportError = (error) => void reported.push(error);
  const log = new DebugLog((entry) => {
    told.push(entry.at);
    if (told.length === 1) throw new Error("mine");
  });
  log.tap.tell({ type: "request", at: 1, request: 1, method: "GET", url: "u" });
  log.tap.tell({ type: "request", at: 2, request: 2, method: "GET", url: "u" });
  assert.deepEqual(told, [], "never while it happens");
  await new Promise((resolve) => setTimeout(resolve, 1));
  assert.deepEqual(told, [1, 2]);
  assert.equal(reported.length, 1);
});

test("what tabs say is told by its kind", async (t) => {
  const { log, words } = logged(t);
  const one = log.tap.channel!("debug test");
  const other = new BroadcastChannel("debug test");
  t.after(() => (one.close(), other.close()));
  const heard: unknown[] = [];
  one.onmessage = ({ data }) => heard.push(data);
  const answered = new Promise((resolve) => (other.onmessage = resolve));
  one.postMessage({ type: "ask", from: "me", method: "sendToMe", args: ["SECRET"] });
  one.postMessage(0);
  await answered;
  other.postMessage({ type: "batch", from: "them", batch: { table: new Int32Array(16) } });
  other.postMessage({ type: "lead", from: "them", change: { state: "online", reason: "SECRET" } });
  while (heard.length < 2) await new Promise((resolve) => setTimeout(resolve, 1));
  assert.deepEqual(await words(), ["tabs → ask, sendToMe, from me", "tabs ← batch, 2 messages, from them", "tabs ← lead, online, from them"]);
});
