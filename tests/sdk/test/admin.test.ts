// The app's administrator: finds, installs for, pushes to and manages anybody.

import { strict as assert } from "node:assert";
import { test } from "node:test";
import { fails, rejects, succeeds } from "../lib/callbacks.js";
import { clouds, unique, uniquePhone } from "../lib/cloud.js";
import { newAdmin, newDevice, newPerson, newSdk, password, wireFor } from "../lib/people.js";
import { withMqttJs } from "../lib/receivers.js";
import { pushDirectly, rest } from "../lib/rest.js";

const wire = await wireFor();
const { clientID, clientSecret } = clouds.main;

test("authenticateAsAppAdmin gives a context with a token", async () => {
  const { Kii } = newSdk(wire.site);
  const admin = await Kii.authenticateAsAppAdmin(clientID, clientSecret);
  assert.ok(admin.getAccessToken());
  assert.equal(Kii.loggedIn(), false, "an administrator is not the current user");
  const [again] = await succeeds((cb) => Kii.authenticateAsAppAdmin(clientID, clientSecret, cb));
  assert.ok(again.getAccessToken());
});

test("a wrong secret is refused", async () => {
  const { Kii, KiiErrorParser } = newSdk(wire.site);
  const error = await rejects(Kii.authenticateAsAppAdmin(clientID, "not the secret"));
  assert.match(error.message, /^invalid_grant: ./);
  assert.equal(KiiErrorParser.parse(error)?.code, "invalid_grant");
  const { failure } = await fails((cb) => Kii.authenticateAsAppAdmin("nobody", clientSecret, cb));
  assert.deepEqual(failure, [error.message, 400]);
});

test("a token makes the context without a request, and is refused later if it is none", async () => {
  const { Kii } = newSdk(wire.site);
  const { context } = await newAdmin(wire.site);
  const { user, name } = await newPerson(wire.site);
  const [, found] = await Kii.authenticateAsAdminWithToken(context.getAccessToken()).findUserByUsername(name);
  assert.equal(found.getID(), user.getID());
  const error = await rejects(Kii.authenticateAsAdminWithToken("none").findUserByUsername(name));
  assert.match(error.message, /^Failed to find user\. statusCode: 401 error code: UNAUTHORIZED error message: ./);
});

test("an administrator finds and changes users", async () => {
  const { context } = await newAdmin(wire.site);
  const sdk = newSdk(wire.site);
  const names = [unique("user"), `${unique("user")}@example.com`, uniquePhone()] as const;
  const user = await sdk.KiiUser.userWithCredentials(names[1], names[2], names[0], password).register();
  const [self, byName] = await context.findUserByUsername(names[0]);
  assert.equal(self, context);
  assert.equal(byName.getID(), user.getID());
  assert.equal((await context.findUserByEmail(names[1]))[1].getID(), user.getID());
  assert.equal((await context.findUserByPhone(names[2]))[1].getID(), user.getID());
  await succeeds((cb) => context.findUserByUsername(names[0], cb));
  await succeeds((cb) => context.findUserByPhone(names[2], cb));
  const { failure } = await fails((cb) => context.findUserByEmail("nobody@example.com", cb));
  assert.equal(failure[0], context);
  assert.match(failure[1], /^Failed to find user\. statusCode: 404 error code: USER_NOT_FOUND error message: ./);

  const theirs = context.userWithID(user.getID());
  await theirs.refresh();
  assert.equal(theirs.getEmailAddress(), names[1]);
  theirs.set("vip", true);
  await theirs.save();
  await user.refresh();
  assert.equal(user.get("vip"), true);
  await theirs.delete();
  assert.match((await rejects(sdk.KiiUser.authenticate(names[0], password))).message, /^invalid_grant: /);
});

test("an administrator registers, loads, changes and deletes things", async () => {
  const { sdk, context } = await newAdmin(wire.site);
  const vendorThingID = unique("thing");
  const thing = await context.registerThing({ _vendorThingID: vendorThingID, _password: password, room: "hall" });
  assert.equal((await context.loadThingWithThingID(thing.getThingID())).fields["room"], "hall");
  assert.equal((await context.loadThingWithVendorThingID(vendorThingID)).getThingID(), thing.getThingID());
  const [loaded] = await succeeds((cb) => context.loadThingWithVendorThingID(vendorThingID, cb));
  loaded.fields.room = "attic";
  await loaded.update();
  const same = context.thingWithID(thing.getThingID());
  await same.refresh();
  assert.equal(same.fields["room"], "attic");

  await same.updatePassword("another password");
  assert.match((await rejects(sdk.Kii.authenticateAsThing(vendorThingID, password))).message, /invalid_grant/);
  await sdk.Kii.authenticateAsThing(vendorThingID, "another password");
  await succeeds((cb) => same.updatePassword(password, cb));
  await sdk.Kii.authenticateAsThing(vendorThingID, password);

  await same.deleteThing();
  const error = await rejects(context.loadThingWithThingID(thing.getThingID()));
  assert.match(error.message, /^refresh thing failed\. statusCode: 404 error code: THING_NOT_FOUND message: ./);
  await succeeds((cb) => context.registerThing({ _vendorThingID: vendorThingID, _password: password }, cb));
  await fails((cb) => context.loadThingWithThingID(thing.getThingID(), cb));
});

test("an administrator disables and enables a thing", async () => {
  const { sdk, context } = await newAdmin(wire.site);
  const device = await newDevice(wire.site);
  const thing = context.thingWithID(device.thing.getThingID());
  assert.equal(await thing.disable(), thing);
  await thing.refresh();
  assert.equal(thing.getDisabled(), true);
  assert.match((await rejects(sdk.Kii.authenticateAsThing(device.vendorThingID, password))).message, /statusCode: 400 error code: invalid_grant/);
  assert.match((await rejects(device.thing.refresh())).message, /statusCode: 401 error code: UNAUTHORIZED/);
  assert.deepEqual(await succeeds((cb) => thing.enable(cb)), [thing]);
  await sdk.Kii.authenticateAsThing(device.vendorThingID, password);
  assert.deepEqual(await succeeds((cb) => thing.disable(cb)), [thing]);
  await thing.enable();
  assert.equal(thing.getDisabled(), false);
});

test("the SDK has no push installation for administrators; the REST API has", async () => {
  const { sdk, context } = await newAdmin(wire.site);
  const { user } = await newPerson(wire.site);
  const { thing } = await newDevice(wire.site);
  assert.throws(() => context.userWithID(user.getID()).pushInstallation(), { message: /not supported by admin context/ });

  const token = context.getAccessToken();
  const own = await user.pushInstallation().installMqtt(false);
  for (const owner of [{ userID: user.getID() }, { thingID: thing.getThingID() }]) {
    const request = { deviceType: "MQTT", development: false, ...owner };
    const installed = await rest(token, "/installations", "InstallationCreationRequest", request);
    if ("userID" in owner) assert.deepEqual(installed, own, "the user's own installation");
    // With the administrator's token the SDK's class does all that it does for things.
    const asAdmin = await sdk.Kii.authenticateAsThingWithToken("admin", token);
    const push = asAdmin.pushInstallation();
    assert.ok((await push.getMqttEndpoint(installed.installationID)).mqttTopic);
    await push.uninstallByInstallationID(installed.installationID);
    assert.match((await rejects(push.getMqttEndpoint(installed.installationID))).message, /INSTALLATION_NOT_FOUND/);
  }
});

test("an administrator's pushes reach any user and thing", async () => {
  const { sdk, context } = await newAdmin(wire.site);
  const person = await newPerson(wire.site);
  const device = await newDevice(wire.site);
  for (const [to, push] of [
    [`/users/${person.user.getID()}`, person.user.pushInstallation()],
    [`/things/${device.thing.getThingID()}`, device.context.pushInstallation()],
  ] as const) {
    const { installationID } = await push.installMqtt(false);
    const receiver = await withMqttJs(await push.getMqttEndpoint(installationID), "ws", 5, 1);
    const message = { ...new sdk.KiiPushMessageBuilder({ to }).build(), sendSender: true };
    await pushDirectly(context.getAccessToken(), to, message);
    const got = await receiver.next();
    assert.equal(got.to, to);
    assert.equal(got.senderURI ?? got.sender, "kiicloud://admins/APP_ADMIN");
    await receiver.close();
  }
});
