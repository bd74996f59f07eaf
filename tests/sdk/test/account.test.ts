// What users may do with their accounts: fields, names, password, end.

import { strict as assert } from "node:assert";
import { test } from "node:test";
import { fails, rejects, succeeds } from "../lib/callbacks.js";
import { unique, uniquePhone } from "../lib/cloud.js";
import { newPerson, newSdk, password, wireFor } from "../lib/people.js";

const wire = await wireFor();

test("a pseudo user has no name, then gets one", async () => {
  const { Kii, KiiUser } = newSdk(wire.site);
  const user = await KiiUser.registerAsPseudoUser(undefined, { colour: "blue" });
  assert.equal(user.isPseudoUser(), true);
  assert.ok(user.getAccessToken());
  assert.equal(Kii.getCurrentUser()?.getID(), user.getID());
  await user.refresh();
  assert.equal(user.isPseudoUser(), true);
  assert.equal(user.get("colour"), "blue");

  const name = unique("user");
  await user.putIdentity({ username: name }, password, undefined, { size: 3 }, ["colour"]);
  assert.equal(user.isPseudoUser(), false);
  KiiUser.logOut();
  const named = await KiiUser.authenticate(name, password);
  assert.equal(named.getID(), user.getID());
  await named.refresh();
  assert.equal(named.get("size"), 3);
  assert.equal(named.isPseudoUser(), false);

  const [other] = await succeeds((cb) => KiiUser.registerAsPseudoUser(cb));
  assert.notEqual(other.getID(), user.getID());
  await succeeds((cb) => other.putIdentity({ emailAddress: `${unique("user")}@example.com` }, password, cb));
});

test("save keeps the fields of a user, refresh fetches them", async () => {
  const { sdk, user, name } = await newPerson(wire.site);
  user.setDisplayName("Ann");
  user.setCountry("JP");
  user.setLocale("ja");
  user.set("score", 7);
  user.set("tags", ["a", "b"]);
  assert.equal((await user.save()).getID(), user.getID());
  assert.ok(user.getModified());

  const other = await sdk.KiiUser.authenticate(name, password);
  await other.refresh();
  assert.equal(other.getDisplayName(), "Ann");
  assert.equal(other.getCountry(), "JP");
  assert.equal(other.getLocale(), "ja");
  assert.equal(other.get("score"), 7);
  assert.deepEqual(other.get("tags"), ["a", "b"]);
  assert.equal(other.getUsername(), name);

  other.set("score", 8);
  await succeeds((cb) => other.save(cb));
  const [refreshed] = await succeeds((cb) => user.refresh(cb));
  assert.equal(refreshed.get("score"), 8);
});

test("update changes names and fields", async () => {
  const { sdk, user } = await newPerson(wire.site);
  const name = unique("user");
  const email = `${unique("user")}@example.com`;
  await user.update({ username: name, emailAddress: email }, undefined, { displayName: "Bea", plan: "gold" });
  const again = await sdk.KiiUser.authenticate(name, password);
  assert.equal(again.getID(), user.getID());
  await again.refresh();
  assert.equal(again.getEmailAddress(), email);
  assert.equal(again.getDisplayName(), "Bea");
  assert.equal(again.get("plan"), "gold");
  await succeeds((cb) => again.update(null as never, cb, { plan: "silver" }));
  await again.refresh();
  assert.equal(again.get("plan"), "silver");

  const { name: taken } = await newPerson(wire.site);
  const error = await rejects(again.update({ username: taken }));
  assert.match(error.message, /^failed to update user\. statusCode: 409 error code: USER_ALREADY_EXISTS error message: ./);
});

test("the password is changed by who knows the old one", async () => {
  const { sdk, user, name } = await newPerson(wire.site);
  const error = await rejects(user.updatePassword("not the password", "another password"));
  assert.match(error.message, /^WRONG_PASSWORD: ./);
  assert.equal(sdk.KiiErrorParser.parse(error)?.status, 401);
  assert.equal((error.target as KiiCloud.KiiUser).getID(), user.getID());

  await user.updatePassword(password, "another password");
  assert.match((await rejects(sdk.KiiUser.authenticate(name, password))).message, /^invalid_grant: /);
  const again = await sdk.KiiUser.authenticate(name, "another password");
  await succeeds((cb) => again.updatePassword("another password", "a third password", cb));
  await sdk.KiiUser.authenticate(name, "a third password");
});

test("the addresses are changed", async () => {
  const { sdk, user } = await newPerson(wire.site);
  const emails = [`${unique("user")}@example.com`, `${unique("user")}@example.com`] as const;
  const phones = [uniquePhone(), uniquePhone()] as const;
  await user.changeEmail(emails[0]);
  await user.changePhone(phones[0]);
  await succeeds((cb) => user.changeEmail(emails[1], cb));
  await succeeds((cb) => user.changePhone(phones[1], cb));
  assert.equal((await sdk.KiiUser.findUserByEmail(emails[1])).getID(), user.getID());
  assert.equal((await sdk.KiiUser.findUserByPhone(phones[1])).getID(), user.getID());
  assert.match((await rejects(sdk.KiiUser.findUserByEmail(emails[0]))).message, /USER_NOT_FOUND/);
});

test("users are found by name, e-mail address and phone number", async () => {
  const sdk = newSdk(wire.site);
  const names = [unique("user"), `${unique("user")}@example.com`, uniquePhone()] as const;
  const user = await sdk.KiiUser.userWithCredentials(names[1], names[2], names[0], password).register();
  const { KiiUser } = sdk;
  assert.equal((await KiiUser.findUserByUsername(names[0])).getID(), user.getID());
  assert.equal((await KiiUser.findUserByEmail(names[1])).getID(), user.getID());
  assert.equal((await KiiUser.findUserByPhone(names[2])).getID(), user.getID());
  for (const find of [
    (cb: SdkCallbacks) => KiiUser.findUserByUsername(names[0], cb),
    (cb: SdkCallbacks) => KiiUser.findUserByEmail(names[1], cb),
    (cb: SdkCallbacks) => KiiUser.findUserByPhone(names[2], cb),
  ]) {
    assert.equal((await succeeds(find))[0].getID(), user.getID());
  }
  const error = await rejects(KiiUser.findUserByUsername(unique("nobody")));
  assert.match(error.message, /^Failed to find user\. statusCode: 404 error code: USER_NOT_FOUND error message: ./);
});

test("a user who deletes himself is gone, and the token with him", async () => {
  const { sdk, user, name } = await newPerson(wire.site);
  const token = user.getAccessToken();
  await user.delete();
  assert.match((await rejects(sdk.KiiUser.authenticate(name, password))).message, /^invalid_grant: /);
  assert.match((await rejects(sdk.KiiUser.authenticateWithToken(token))).message, /^UNAUTHORIZED: /);
  const { user: other } = await newPerson(wire.site);
  await succeeds((cb) => other.delete(cb));
  const { failure } = await fails((cb) => other.refresh(cb));
  assert.match(failure[1], /^UNAUTHORIZED: /);
});
