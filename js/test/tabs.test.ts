import assert from "node:assert/strict";
import { test } from "node:test";

import { LiveConnection } from "../src/connection.js";
import { disposed } from "../src/errors.js";
import { Tabs } from "../src/tabs/tabs.js";
import type { Login } from "../types/index.js";
import { FakeBrowser, settled, type FakeTab } from "./fakebrowser.js";
import { FakeCloud, FakeHost } from "./fakecloud.js";

const config = { appID: "app", appKey: "key", baseURL: "http://127.0.0.1/api" };
const endpoint = { installationID: "i", username: "u", password: "p", mqttTopic: "t", host: "h" };
const somebody: Login = { userID: "somebody", token: "token" };

interface Options {
  login?: Login | null;
  config?: typeof config;
}

/** One tab with a client of the library, as far as sharing goes. */
class Page {
  readonly tab: FakeTab;
  readonly host: FakeHost;
  readonly tabs: Tabs;
  login: Login | null;
  connection!: LiveConnection;
  readonly got: string[] = [];
  readonly states: string[] = [];

  constructor(browser: FakeBrowser, cloud: FakeCloud, options: Options = {}) {
    this.tab = browser.tab();
    this.host = new FakeHost(this.tab, cloud);
    this.login = options.login === undefined ? somebody : options.login;
    this.tabs = new Tabs(options.config ?? config, {
      own: this.host,
      started: () => this.host.started,
      login: () => this.login,
      left: () => (this.login = null),
    }, this.tab);
    if (this.login) this.tabs.entered(this.login);
  }

  async connect(timeout = 5000, signal?: AbortSignal): Promise<this> {
    this.connection = new LiveConnection();
    this.connection.on("state", ({ state }) => this.states.push(state));
    this.connection.on("message", (m) => this.got.push(m.text()));
    const call = { timeout, ...(signal && { signal }) };
    this.connection.attach(await this.tabs.connect(endpoint, {}, this.connection.sink, call));
    return this;
  }
}

async function until(what: string, condition: () => boolean): Promise<void> {
  const end = Date.now() + 10_000;
  while (!condition()) {
    assert.ok(Date.now() < end, `${what} did not become true`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

function setUp(t: { after(end: () => unknown): void }) {
  const browser = new FakeBrowser();
  const cloud = new FakeCloud();
  const pages: Page[] = [];
  const blank = (options?: Options) => {
    const page = new Page(browser, cloud, options);
    pages.push(page);
    return page;
  };
  const open = (options?: Options) => blank(options).connect();
  t.after(() => pages.forEach(({ tabs }) => tabs.end(disposed())));
  return { browser, cloud, blank, open };
}

test("ten tabs have one connection, and each gets each message once", async (t) => {
  const { cloud, open } = setUp(t);
  const pages: Page[] = [];
  for (let i = 0; i < 10; i++) pages.push(await open());
  const ids = Array.from({ length: 100 }, () => cloud.push());
  await until("all have all", () => pages.every(({ got }) => got.length >= ids.length));
  await settled();
  for (const { got } of pages) assert.deepEqual(got, ids);
  assert.equal(cloud.connects, 1);
  assert.deepEqual(pages.map(({ tabs }) => tabs.role), ["leader", ...Array(9).fill("follower")]);
  assert.deepEqual(pages.map(({ host }) => host.started), [true, ...Array(9).fill(false)]);
  assert.equal(cloud.stored.length, 0, "all were acknowledged");
});

test("a tab alone stops copying for others", async (t) => {
  const { browser, cloud, open } = setUp(t);
  const clock = Date.now;
  try {
    await open();
    cloud.push();
    await until("it is acknowledged", () => cloud.stored.length === 0);
    Date.now = () => clock() + 60_000;
    cloud.push(); // finds out that nobody is there
    await settled();
    const follower = await open();
    cloud.push();
    await until("the newcomer has it", () => follower.got.length === 1);
    assert.equal(browser.delivered > 0, true);
  } finally {
    Date.now = clock;
  }
});

for (const [name, stop] of Object.entries({
  killed: (tab: FakeTab) => tab.kill(),
  frozen: (tab: FakeTab) => tab.freeze(),
  "put aside": (tab: FakeTab) => tab.freeze(true),
})) {
  test(`a leader that is ${name} is followed by the next, without a message lost or doubled`, async (t) => {
    const { cloud, open } = setUp(t);
    const ids: string[] = [];
    const push = (count: number) => Array.from({ length: count }, () => ids.push(cloud.push()));
    const from = new Map<Page, number>();
    const pages: Page[] = [];
    const add = async () => {
      const page = await open();
      pages.push(page);
      from.set(page, ids.length);
    };
    for (let i = 0; i < 3; i++) await add();
    for (let round = 0; round < 20; round++) {
      push(5);
      await settled(round % 7); // somewhere between sending and acknowledging
      const leader = pages.find(({ tabs }) => tabs.role === "leader")!;
      stop(leader.tab);
      pages.splice(pages.indexOf(leader), 1);
      push(5);
      await until("the others have all", () => pages.every(({ got }) => got.at(-1) === ids.at(-1)));
      await until("all are acknowledged", () => cloud.stored.length === 0);
      await settled();
      for (const page of pages) assert.deepEqual(page.got, ids.slice(from.get(page)));
      await add();
    }
    assert.equal(cloud.connects, 21);
  });
}
