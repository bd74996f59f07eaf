// Tabs with a client each, as far as sharing goes, for tests.

import assert from "node:assert/strict";

import { LiveConnection } from "../src/connection.js";
import { disposed } from "../src/errors.js";
import { decodeProperties } from "../src/properties.js";
import { Tabs } from "../src/tabs/tabs.js";
import type { Login } from "../types/index.js";
import { FakeBrowser, type FakeTab } from "./fakebrowser.js";
import { FakeCloud, FakeHost } from "./fakecloud.js";

const config = { appID: "app", appKey: "key", baseURL: "http://127.0.0.1/api" };
const endpoint = { installationID: "i", username: "u", password: "p", mqttTopic: "t", host: "h" };
const somebody: Login = { userID: "somebody", token: "token" };

interface Options {
  login?: Login | null;
  config?: typeof config;
}

/** One tab with a client of the library, as far as sharing goes. */
export class Page {
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
      decodeProperties,
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

export async function until(what: string, condition: () => boolean): Promise<void> {
  const end = Date.now() + 60_000;
  while (!condition()) {
    assert.ok(Date.now() < end, `${what} did not become true`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

export function setUp(t: { after(end: () => unknown): void }) {
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
