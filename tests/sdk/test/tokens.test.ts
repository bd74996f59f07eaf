// Access tokens: where they come from, how they end.

import { strict as assert } from "node:assert";
import { test } from "node:test";
import { fails, rejects, succeeds } from "../lib/callbacks.js";
import { clouds, unique, until } from "../lib/cloud.js";
import { newPerson, newSdk, password, wireFor } from "../lib/people.js";

const wire = await wireFor();

test("a token logs in without the password", async () => {
  const { user } = await newPerson(wire.site);
  const { Kii, KiiUser } = newSdk(wire.site);
  const same = await KiiUser.authenticateWithToken(user.getAccessToken());
  assert.equal(same.getID(), user.getID());
  assert.equal(same.getAccessToken(), user.getAccessToken());
  assert.equal(Kii.getCurrentUser()?.getID(), user.getID());
  Kii.logOut();
  const [again] = await succeeds((cb) => KiiUser.authenticateWithToken(user.getAccessToken(), cb, new Date()));
  assert.equal(again.getID(), user.getID());
});

test("a token that is none is refused", async () => {
  const { Kii, KiiUser, KiiErrorParser } = newSdk(wire.site);
  const error = await rejects(KiiUser.authenticateWithToken("no-such-token"));
  assert.match(error.message, /^UNAUTHORIZED: ./);
  assert.equal(KiiErrorParser.parse(error)?.status, 401);
  const { failure } = await fails((cb) => KiiUser.authenticateWithToken("no-such-token", cb));
  assert.match(failure[1], /^UNAUTHORIZED: ./);
  assert.equal(Kii.loggedIn(), false);
});

test("a wrong password and an unknown user are the same error", async () => {
  const { name } = await newPerson(wire.site);
  const { Kii, KiiUser, KiiErrorParser } = newSdk(wire.site);
  const wrong = await rejects(KiiUser.authenticate(name, "not the password"));
  const unknown = await rejects(KiiUser.authenticate(unique("nobody"), password));
  assert.match(wrong.message, /^invalid_grant: ./);
  assert.equal(unknown.message, wrong.message);
  assert.deepEqual([KiiErrorParser.parse(wrong)?.status, KiiErrorParser.parse(wrong)?.code], [400, "invalid_grant"]);
  assert.equal((wrong.target as KiiCloud.KiiUser).getUsername(), name);
  const { failure } = await fails((cb) => KiiUser.authenticate(name, "not the password", cb));
  assert.equal(failure[0].getUsername(), name);
  assert.equal(failure[1], wrong.message);
  assert.equal(Kii.loggedIn(), false);

  const [exchange] = await wire.during(() => rejects(KiiUser.authenticate(name, "not the password")));
  assert.equal(exchange?.status, 400);
  const body = JSON.parse(exchange?.responseBody ?? "");
  assert.deepEqual([body.error, body.errorCode], ["invalid_grant", "invalid_grant"]);
  assert.ok(body.error_description);
});

test("a token ends when the app has asked for that", async () => {
  const { name } = await newPerson(wire.site);
  const { Kii, KiiUser } = newSdk(wire.site);
  assert.equal(Kii.getAccessTokenExpiration(), 0);
  Kii.setAccessTokenExpiration(5);
  const before = Date.now();
  const user = await KiiUser.authenticate(name, password);
  const ends = user.getAccessTokenObject().expires_at.getTime();
  assert.ok(ends <= Date.now() + 5000, "it lives no longer than the five seconds");
  assert.ok(ends >= before - 1000, "in whole seconds");
  let last = "";
  await until("the token's end", async () => {
    try {
      await KiiUser.authenticateWithToken(user.getAccessToken());
      return false;
    } catch (error) {
      last = (error as Error).message;
      return true;
    }
  });
  assert.match(last, /^UNAUTHORIZED: ./);
  assert.match((await rejects(user.pushInstallation().installMqtt(false))).message, /^install push failed\. statusCode: 401 error code: UNAUTHORIZED /);
});

test("a token lives long when the app asks for nothing", async () => {
  const { user } = await newPerson(wire.site);
  assert.ok(user.getAccessTokenObject().expires_at.getTime() > Date.now() + 3600_000);
});

test("setAccessTokenExpiration takes numbers that are not negative", () => {
  const { Kii } = newSdk(wire.site);
  assert.throws(() => Kii.setAccessTokenExpiration(-1));
  assert.throws(() => Kii.setAccessTokenExpiration("soon" as never));
});

test("each login has a token of its own", async () => {
  const { user, name } = await newPerson(wire.site);
  const { KiiUser } = newSdk(wire.site);
  const other = await KiiUser.authenticate(name, password);
  assert.notEqual(other.getAccessToken(), user.getAccessToken());
  await user.refresh();
  await other.refresh();
});

test("logOut forgets the token in the SDK alone", async () => {
  const { sdk, user } = await newPerson(wire.site);
  const token = user.getAccessToken();
  const sent = await wire.during(async () => sdk.KiiUser.logOut());
  assert.equal(sent.length, 0);
  assert.equal(sdk.KiiUser.loggedIn(), false);
  assert.equal(sdk.Kii.getCurrentUser(), null);
  const error = await rejects(user.pushInstallation().installMqtt(false));
  assert.match(error.message, /^install push failed\. statusCode: 401 error code: UNAUTHORIZED /);
  assert.equal((await sdk.KiiUser.authenticateWithToken(token)).getID(), user.getID());
});

test("an app that the cloud does not know is refused", async () => {
  const sdk = newSdk(wire.site, { ...clouds.main, appKey: "not-the-key" });
  const error = await rejects(sdk.KiiUser.userWithUsername(unique("user"), password).register());
  assert.match(error.message, /^WRONG_APP: ./);
});
