// What logins and logouts of one tab are to the others.

import assert from "node:assert/strict";
import { test } from "node:test";

import { KiiError } from "../src/errors.js";
import { Names } from "../src/tabs/messages.js";
import { settled } from "./fakebrowser.js";
import { setUp, until } from "./tabpages.js";

const config = { appID: "app", appKey: "key" };

for (const code of ["NOT_LOGGED_IN", "UNAUTHORIZED", "FORBIDDEN", "BAD_CREDENTIALS"] as const) {
  test(`a leader that needs a new endpoint and gets ${code} ends its own connection and no other`, async (t) => {
    const { cloud, open } = setUp(t);
    const leader = await open();
    const others = [await open(), await open()];
    leader.login = { userID: "somebody else", token: "token" };
    const error = new KiiError("no", { code, retryable: false, remedy: "r" });
    cloud.end({ state: "failed", code, reason: "no", error });
    await until("the next one leads", () => others[0]!.tabs.role === "leader" && others[0]!.connection.state === "online");
    const id = cloud.push();
    await until("the others have it", () => others.every(({ got }) => got.at(-1) === id));
    assert.equal(leader.connection.state, "failed");
    assert.equal(leader.connection.lastChange.code, code);
    assert.deepEqual(leader.got, []);
    for (const { states } of others) assert.ok(!states.includes("failed"), states.join(" "));
  });
}

test("the end of the installation ends every tab's connection", async (t) => {
  const { cloud, open } = setUp(t);
  const pages = [await open(), await open()];
  cloud.revoke();
  await until("both are closed", () => pages.every(({ connection }) => connection.state === "closed"));
  for (const { connection } of pages) assert.equal(connection.lastChange.code, "REVOKED");
  assert.equal(cloud.connects, 1);
});

test("a cloud is the same however it is named", () => {
  const name = (cloud: object) => new Names({ ...config, ...cloud }, "u", false).owner;
  for (const [site, host] of [["US", "api"], ["JP", "api-jp"], ["SG", "api-sg"], ["EU", "api-eu"]]) {
    for (const baseURL of [`https://${host}.kii.com/api`, `https://${host}.kii.com/api/`, `HTTPS://${host!.toUpperCase()}.kii.com:443/api`]) {
      assert.equal(name({ baseURL }), name({ site }));
    }
  }
  assert.equal(name({ baseURL: "http://localhost:80/api//" }), name({ baseURL: "http://LOCALHOST/api" }));
  const others = [{ site: "US" }, { site: "JP" }, { baseURL: "https://api.kii.com/API" }, { baseURL: "http://api.kii.com/api" }, { baseURL: "https://api.kii.com:8443/api" }];
  assert.equal(new Set(others.map(name)).size, others.length);
});

test("a logout is heard in tabs with loaders of every version", () => {
  const { owner } = new Names({ ...config, baseURL: "http://localhost/api" }, "u", false);
  assert.equal(owner, 'kiiweb owner ["app","http://localhost/api","user","u"]', "which none may change");
});

test("a logout does not end a login of the same user that came after it", async (t) => {
  const { open } = setUp(t);
  const one = await open();
  const other = await open();
  const login = one.login!;
  const said = Date.now();
  await new Promise((resolve) => setTimeout(resolve, 2));
  other.login = { userID: "somebody", token: "its own" };
  other.tabs.entered(other.login); // while the word is on its way
  one.login = null;
  one.tabs.loggedOut(login, said);
  await settled();
  assert.equal(other.login.token, "its own");
  assert.deepEqual(other.host.calls, []);
  await new Promise((resolve) => setTimeout(resolve, 2));
  one.tabs.loggedOut(login, Date.now());
  await until("the other has heard it", () => other.login === null);
});

test("who logs in when the one before has closed all connections takes part, and the other does no more", async (t) => {
  const { browser, open } = setUp(t);
  const page = await open();
  await page.connection.close();
  page.login = { userID: "somebody else", token: "token" };
  page.tabs.entered(page.login);
  await page.connect();
  assert.equal(page.tabs.role, "leader");
  assert.equal(browser.holder('"somebody"]'), undefined);
});
