// Who users are: registration and login.

import { strict as assert } from "node:assert";
import { test } from "node:test";
import { fails, rejects, succeeds } from "../lib/callbacks.js";
import { unique, uniquePhone } from "../lib/cloud.js";
import { newPerson, newSdk, password, wireFor } from "../lib/people.js";

const wire = await wireFor();

test("register makes a user, logs in and becomes the current user", async () => {
  const sdk = newSdk(wire.site);
  const name = unique("user");
  const user = await sdk.KiiUser.userWithUsername(name, password).register();
  assert.equal(user.getUsername(), name);
  assert.match(user.getID(), /^[\w-]+$/);
  assert.ok(user.getAccessToken());
  assert.equal(sdk.Kii.getCurrentUser()?.getID(), user.getID());
  assert.equal(user.isPseudoUser(), false);
  assert.equal(user.objectURI(), `kiicloud://users/${user.getID()}`);
});

test("register in the callback style", async () => {
  const sdk = newSdk(wire.site);
  const [user] = await succeeds((cb) => sdk.KiiUser.userWithUsername(unique("user"), password).register(cb));
  assert.equal(sdk.Kii.getCurrentUser()?.getID(), user.getID());
});

test("a name that is taken is refused with Kii's code", async () => {
  const { sdk, name } = await newPerson(wire.site);
  const twin = sdk.KiiUser.userWithUsername(name, password);
  const error = await rejects(twin.register());
  assert.match(error.message, /^USER_ALREADY_EXISTS: ./);
  assert.equal(error.target, twin);
  assert.deepEqual(sdk.KiiErrorParser.parse(error), {
    status: 409,
    code: "USER_ALREADY_EXISTS",
    message: error.message.replace("USER_ALREADY_EXISTS: ", ""),
  });
  const again = sdk.KiiUser.userWithUsername(name, password);
  const { failure } = await fails((cb) => again.register(cb));
  assert.equal(failure[0], again);
  assert.match(failure[1], /^USER_ALREADY_EXISTS: ./);
});

test("log in by name, by e-mail address and by phone number", async () => {
  const { KiiUser } = newSdk(wire.site);
  const names = [unique("user"), `${unique("user")}@example.com`, uniquePhone()] as const;
  const registered = await KiiUser.userWithCredentials(names[1], names[2], names[0], password).register();
  for (const name of names) {
    KiiUser.logOut();
    const user = await KiiUser.authenticate(name, password);
    assert.equal(user.getID(), registered.getID(), name);
    await user.refresh();
    assert.equal(user.getUsername(), names[0]);
    assert.equal(user.getEmailAddress(), names[1]);
    assert.equal(user.getPhoneNumber(), names[2]);
    KiiUser.logOut();
    const [same] = await succeeds((cb) => KiiUser.authenticate(name, password, cb));
    assert.equal(same.getID(), registered.getID(), name);
  }
});

test("the builder's users: a local phone number brings its country along", async () => {
  const sdk = newSdk(wire.site);
  const local = uniquePhone().slice(3);
  const user = await sdk.KiiUserBuilder.builderWithLocalPhoneNumber(local, "JP", password).setUsername(unique("user")).build().register();
  await user.refresh();
  assert.equal(user.getCountry(), "JP");
  const byEmail = sdk.KiiUserBuilder.builderWithEmailAddress(`${unique("user")}@example.com`, password).build();
  assert.ok((await byEmail.register()).getID());
  const byPhone = sdk.KiiUserBuilder.builderWithGlobalPhoneNumber(uniquePhone(), password).build();
  assert.ok((await byPhone.register()).getID());
});

test("what is not allowed in a name never leaves the SDK, or comes back as its error", async () => {
  const { KiiUser, KiiUserBuilder } = newSdk(wire.site);
  const sent = await wire.during(async () => {
    assert.throws(() => KiiUser.userWithUsername("a b", password));
    assert.throws(() => KiiUserBuilder.builderWithGlobalPhoneNumber("123", password));
    const error = await rejects(KiiUser.authenticate("a b", password));
    assert.equal(error.target, null);
    assert.match((await rejects(KiiUser.authenticate("fine-name", "abc"))).message, /password/i);
  });
  assert.equal(sent.length, 0);
});
