import assert from "node:assert/strict";
import { test } from "node:test";

import { EarlySocket } from "../src/earlysocket.js";
import type { ConnectOptions, MqttEndpoint } from "../types/index.js";

/** A browser's WebSocket, as far as what begins one touches it. */
class FakeSocket extends EventTarget {
  static made: FakeSocket[] = [];
  readyState = 0;
  onopen: (() => void) | null = null;
  onmessage: (() => void) | null = null;
  closed = 0;

  constructor(readonly url: string, readonly protocols: string | string[]) {
    super();
    new URL(url, location.href); // which throws as the browser's does: not where it can add the page's own
    if (url.includes("refused")) throw new DOMException("no", "SecurityError");
    if (/:(undefined|NaN)/.test(url)) throw new DOMException("no", "SyntaxError");
    FakeSocket.made.push(this);
  }

  opens(): void {
    this.readyState = 1;
    this.onopen!();
  }

  close(): void {
    this.closed++;
    this.readyState = 3;
  }
}

function install(t: { after(end: () => void): void }, page = "https://a.example/"): void {
  const before = { WebSocket: globalThis.WebSocket, location: globalThis.location };
  FakeSocket.made = [];
  Object.assign(globalThis, { WebSocket: FakeSocket, location: new URL(page) });
  t.after(() => Object.assign(globalThis, before));
}

const endpoint = { host: "broker.example", portWS: 80, portWSS: 443, username: "u", password: "p", mqttTopic: "t", installationID: "i" } as MqttEndpoint;
const here = { ...endpoint, host: "127.0.0.1" };
const url = "wss://broker.example:443/mqtt";
const ask = (early: EarlySocket, to = url, subprotocol = "mqtt") => early.dial(to, [subprotocol]) as unknown as FakeSocket;

function begun(): { early: EarlySocket; made: FakeSocket } {
  const early = new EarlySocket();
  early.begin(endpoint, {});
  return { early, made: FakeSocket.made[0]! };
}

const local = "http://localhost:8080/app";
const places: { name: string; page?: string; to: MqttEndpoint; options?: ConnectOptions; url: string | undefined }[] = [
  { name: "wss where nothing else is said", to: endpoint, url },
  { name: "the path that is given", to: endpoint, options: { path: "/a/b" }, url: "wss://broker.example:443/a/b" },
  { name: "wss to this machine from a page of elsewhere", to: here, url: "wss://127.0.0.1:443/mqtt" },
  { name: "wss to this machine from a page of it that came over https", page: "https://localhost:8443/", to: here, url: "wss://127.0.0.1:443/mqtt" },
  { name: "ws to this machine from a page of it", page: local, to: here, url: "ws://127.0.0.1:80/mqtt" },
  { name: "wss to this machine where it has no other port", page: local, to: { ...here, portWS: undefined } as never, url: "wss://127.0.0.1:443/mqtt" },
  { name: "wss to this machine where that is asked for", page: local, to: here, options: { transport: "wss" }, url: "wss://127.0.0.1:443/mqtt" },
  { name: "ws to this machine where that is asked for", to: here, options: { transport: "ws" }, url: "ws://127.0.0.1:80/mqtt" },
  { name: "wss to another machine from a page of this one", page: local, to: endpoint, url },
  { name: "ws to this machine from a page of it by a name of its own", page: "http://app.localhost:8080/", to: { ...here, host: "app.localhost" }, url: "ws://app.localhost:80/mqtt" },
  { name: "ws to this machine from a page of it by another address", page: "http://[::1]:8080/", to: here, url: "ws://127.0.0.1:80/mqtt" },
  { name: "ws to this machine from a page of it where options are empty", page: local, to: here, options: { transport: "", path: "" } as never, url: "ws://127.0.0.1:80/mqtt" },
  { name: "nothing for MQTT 3.1, which has another sub-protocol", to: endpoint, options: { protocol: 3 }, url: undefined },
  { name: "nothing over what a browser does not speak", to: endpoint, options: { transport: "tcp" } as never, url: undefined },
  { name: "nothing in the clear to another machine", to: endpoint, options: { transport: "ws" }, url: undefined },
  { name: "nothing in the clear to what only looks like this machine", page: local, to: { ...endpoint, host: "127.evil.example" }, options: { transport: "ws" }, url: undefined },
  { name: "nothing in the clear behind this machine's name", page: local, to: { ...endpoint, host: "localhost:1@evil.example" }, options: { transport: "ws" }, url: undefined },
  { name: "nothing without a port", to: { ...endpoint, portWSS: undefined } as never, url: undefined },
  { name: "nothing where the browser refuses", to: { ...endpoint, host: "refused" }, url: undefined },
  { name: "nothing where there is no endpoint", to: null as never, url: undefined },
];

for (const { name, page, to, options, url } of places) {
  test(name, (t) => {
    install(t, page);
    new EarlySocket().begin(to, options ?? {});
    assert.deepEqual(FakeSocket.made.map((made) => made.url), url ? [url] : []);
  });
}

test("who asks for it before it opens hears of that from it", async (t) => {
  install(t);
  const { early, made } = begun();
  assert.equal(made.protocols, "mqtt");
  let opened = 0;
  made.addEventListener("open", () => opened++);
  assert.equal(ask(early), made);
  await null;
  assert.equal(opened, 0, "it has not opened");
  early.drop();
  assert.equal(made.closed, 0, "it is somebody else's");
  assert.ok(ask(early) !== made, "there is one");
  assert.equal(FakeSocket.made.length, 2);
});

test("who asks for it when it is open is told so afterwards, once", async (t) => {
  install(t);
  const { early, made } = begun();
  made.opens();
  assert.equal(ask(early), made);
  let opened = 0;
  made.addEventListener("open", () => opened++);
  assert.equal(opened, 0);
  await null;
  assert.equal(opened, 1);
});

test("who asks for it between its opening and the word of that hears the word alone", async (t) => {
  install(t);
  const { early, made } = begun();
  made.readyState = 1;
  assert.equal(ask(early), made);
  let opened = 0;
  made.addEventListener("open", () => opened++);
  await null;
  assert.equal(opened, 0, "the browser's own is still to come");
});

test("who asks for another one gets a new one", (t) => {
  install(t);
  const { early, made } = begun();
  const other = ask(early, "wss://broker.example:443/other");
  assert.deepEqual([other.url, other.protocols], ["wss://broker.example:443/other", ["mqtt"]]);
  assert.deepEqual(ask(early, url, "mqttv3.1").protocols, ["mqttv3.1"]);
  assert.equal(ask(early), made);
});

for (const [name, readyState] of [["is closing", 2], ["has closed", 3]] as const) {
  test(`who asks for one that ${name} gets a new one`, (t) => {
    install(t);
    const { early, made } = begun();
    made.readyState = readyState;
    assert.ok(ask(early) !== made);
  });
}

test("one whose server speaks first is closed, for the program to see that itself", (t) => {
  install(t);
  const { early, made } = begun();
  made.opens();
  made.onmessage!();
  assert.equal(made.closed, 1);
  assert.ok(ask(early) !== made);
});

test("one that nobody asks for is closed", (t) => {
  install(t);
  const { early, made } = begun();
  early.begin(endpoint, {});
  assert.equal(made.closed, 1, "another one takes its place");
  early.drop();
  assert.deepEqual(FakeSocket.made.map(({ closed }) => closed), [1, 1]);
});
