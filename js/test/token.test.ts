import assert from "node:assert/strict";
import { test } from "node:test";

import type { Settings } from "../src/options.js";
import { renewing } from "../src/token.js";
import type { Login, LoadOptions } from "../types/index.js";

const settings: Settings = {
  config: { appID: "a", appKey: "k", site: "JP" },
  wasmURL: "https://here.example/k.wasm",
  workerURL: () => "https://here.example/w.js",
  host: "auto",
};

/** What the program would call, and the login in force. */
function renewal(getToken: LoadOptions["getToken"]) {
  const state: { login: Login | null } = { login: { userID: "u", token: "t1", expiresAt: 5 } };
  const { config } = renewing(
    { ...settings, ...(getToken && { getToken }) },
    () => state.login,
    (login) => (state.login = login),
  );
  return { state, ask: config.getToken! };
}

test("a new token is the login's from then on, without the old one's end", async () => {
  const { state, ask } = renewal(() => "t2");
  assert.equal(await ask({ userID: "u" }), "t2");
  assert.deepEqual(state.login, { userID: "u", token: "t2" });
});

test("without getToken nothing is asked", () => {
  assert.deepEqual(renewing(settings, () => null, () => {}), settings);
});

test("what is no token changes nothing, and reaches the program", async () => {
  for (const value of [null, "", 5, "a b", {}]) {
    const { state, ask } = renewal(async () => value as string);
    const { login } = state;
    assert.equal(await ask({ userID: "u" }), value);
    assert.equal(state.login, login);
  }
  assert.equal(await renewal(() => undefined as never).ask({ userID: "u" }), null);
});

test("a login that came meanwhile stays", async () => {
  const { state, ask } = renewal(async () => {
    state.login = { userID: "other", token: "t9" };
    return "t2";
  });
  await ask({ userID: "u" });
  assert.deepEqual(state.login, { userID: "other", token: "t9" });
});

test("an exception is a rejection", async () => {
  const { ask } = renewal(() => {
    throw new RangeError("no network");
  });
  await assert.rejects(ask({ userID: "u" }), new RangeError("no network"));
});
