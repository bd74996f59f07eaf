// A tab's logins, and the logouts that it hears of meanwhile.

import assert from "node:assert/strict";
import { test } from "node:test";

import { build } from "../src/build.js";
import type { ChosenHost } from "../src/chosenhost.js";
import { KiiError } from "../src/errors.js";
import { TabGate } from "../src/tabgate.js";
import { Tabs } from "../src/tabs/tabs.js";
import type { Login } from "../types/index.js";
import { FakeBrowser, settled } from "./fakebrowser.js";

const config = { appID: "app", appKey: "key", baseURL: "http://127.0.0.1/api" };

/** A module that knows who is logged in, and does what it is told in order. */
class Module {
  login: string | null = null;
  started = false;
  /** The next login is answered when this settles. */
  answer: Promise<void> = Promise.resolve();

  async call(method: string, [token]: unknown[]): Promise<unknown> {
    this.started = true;
    const answer = this.answer;
    if (method === "logout") this.login = null;
    if (method !== "login") return undefined;
    if (token === "wrong") {
      await answer;
      throw new KiiError("wrong", { code: "BAD_CREDENTIALS", retryable: false, remedy: "r" });
    }
    this.login = token as string;
    await answer;
    return { userID: "somebody", token };
  }
}

class Tab {
  readonly module = new Module();
  login: Login | null = null;
  readonly gate: TabGate;

  constructor(browser: FakeBrowser) {
    const tab = browser.tab();
    const share = (_: unknown, client: ConstructorParameters<typeof Tabs>[1], login: Login) => {
      const tabs = new Tabs(config, client, tab);
      tabs.entered(login);
      return tabs;
    };
    const part = async () => ({ build, share });
    this.gate = new TabGate(this.module as unknown as ChosenHost, config, part, () => this.login, () => (this.login = null));
  }

  async enter(token: string): Promise<void> {
    this.login = (await this.gate.call("login", [token], {})) as Login;
  }
}

async function pair(t: { after(end: () => unknown): void }): Promise<[Tab, Tab]> {
  const browser = new FakeBrowser();
  const tabs: [Tab, Tab] = [new Tab(browser), new Tab(browser)];
  for (const [i, tab] of tabs.entries()) await tab.enter(`first of ${i}`);
  await new Promise((resolve) => setTimeout(resolve, 2)); // into another millisecond
  t.after(() => tabs.forEach((tab) => ((tab.module as unknown as { end(): void }).end = () => {}, tab.gate.end(new KiiError("end", { code: "CLOSED", retryable: false, remedy: "r" })))));
  return tabs;
}

test("a logout reaches the other tabs and their modules", async (t) => {
  const [one, other] = await pair(t);
  await one.gate.call("logout", [], {});
  await settled();
  assert.equal(other.login, null);
  assert.equal(other.module.login, null);
});

test("a login that is under way when a logout comes stays, in the page and in its module", async (t) => {
  const [one, other] = await pair(t);
  let answer = () => {};
  other.module.answer = new Promise((resolve) => (answer = resolve));
  const entering = other.enter("second");
  await one.gate.call("logout", [], {});
  await settled();
  const token = () => other.login?.token;
  assert.equal(token(), undefined, "what there was of a login has ended");
  answer();
  await entering;
  await settled();
  assert.equal(token(), "second");
  assert.equal(other.module.login, "second");
});

test("a login that fails leaves nobody logged in after a logout", async (t) => {
  const [one, other] = await pair(t);
  let answer = () => {};
  other.module.answer = new Promise((resolve) => (answer = resolve));
  const entering = assert.rejects(other.enter("wrong"), { code: "BAD_CREDENTIALS" });
  await one.gate.call("logout", [], {});
  await settled();
  answer();
  await entering;
  await settled();
  assert.equal(other.login, null);
  assert.equal(other.module.login, null);
});

test("a login that fails leaves the one before as it is", async (t) => {
  const [, other] = await pair(t);
  await assert.rejects(other.enter("wrong"), { code: "BAD_CREDENTIALS" });
  await settled();
  assert.equal(other.login?.token, "first of 1");
  assert.equal(other.module.login, "first of 1");
});

test("what a login has taken is not there for tabs.mjs any more", async (t) => {
  const { setTimeout } = globalThis;
  const { now } = performance;
  t.after(() => (Object.assign(globalThis, { setTimeout }), Object.assign(performance, { now })));
  const waits: number[] = [];
  globalThis.setTimeout = ((work: () => void, ms: number) => (waits.push(ms), setTimeout(work, 0))) as typeof setTimeout;
  const module = new Module();
  module.answer = Promise.resolve().then(() => void (performance.now = () => now.call(performance) + 59_000));
  const gate = new TabGate(module as unknown as ChosenHost, config, () => new Promise(() => {}), () => null, () => {});
  await assert.rejects(gate.call("login", ["name"], { timeout: 60_000 }), { code: "TIMEOUT", message: /tabs\.mjs/ });
  assert.deepEqual(waits.filter((ms) => ms > 1000), []);
});

test("tabs.mjs is on its way while the login is, and asked for again where it did not come", async (t) => {
  const [one] = await pair(t);
  const { module, login } = one;
  for (const failures of [0, 1]) {
    const shared = { role: null, entered: () => {}, end: () => {} } as unknown as Tabs;
    let asked = 0;
    let answer = () => {};
    module.answer = new Promise((resolve) => (answer = resolve));
    const part = async () => {
      if (asked++ < failures) throw new Error("not here");
      return { build, share: () => shared };
    };
    const gate = new TabGate(module as unknown as ChosenHost, config, part, () => login, () => {});
    const entering = gate.call("login", ["name"], {});
    await settled();
    assert.equal(asked, 1, "it does not wait for the login");
    answer();
    await entering;
    assert.equal(asked, 1 + failures);
    assert.equal(gate.place.tabsReason, null);
    await gate.call("login", ["name"], {});
    assert.equal(asked, 1 + failures, "it is kept");
  }
});

test("an owner whose getters throw is refused, before anything is loaded", async () => {
  const tab = new Tab(new FakeBrowser());
  const owner = { get userID() { throw new TypeError("mine"); } };
  await assert.rejects(tab.gate.call("useToken", ["token", owner], {}), { code: "INVALID_ARGUMENT", message: "owner cannot be read." });
  assert.equal(tab.module.started, false);
});
