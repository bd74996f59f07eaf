// Things: registered by themselves, logged in by vendorThingID and password, then used
// through KiiThingContext.

import { strict as assert } from "node:assert";
import { test } from "node:test";
import { fails, rejects, succeeds } from "../lib/callbacks.js";
import { unique } from "../lib/cloud.js";
import { newDevice, newPerson, newSdk, password, wireFor } from "../lib/people.js";
import { withMqttJs } from "../lib/receivers.js";
import { pushDirectly } from "../lib/rest.js";

const wire = await wireFor();

test("register gives the thing, its token and its fields", async () => {
  const { KiiThing } = newSdk(wire.site);
  const vendorThingID = unique("thing");
  const fields = { _vendorThingID: vendorThingID, _password: password, _thingType: "lamp", _stringField1: "x", _numberField2: 7, room: "hall", load: "50%" };
  const [exchange] = await wire.during(async () => {
    const thing = await KiiThing.register({ ...fields });
    assert.ok(thing.getThingID());
    assert.equal(thing.getVendorThingID(), vendorThingID);
    assert.ok(thing.getAccessToken());
    assert.ok(thing.getCreated().getTime() > 0);
    assert.equal(thing.getDisabled(), false);
    const { _thingType, _stringField1, _numberField2, room, load } = thing.fields;
    assert.deepEqual([_thingType, _stringField1, _numberField2, room, load], ["lamp", "x", 7, "hall", "50%"]);
    assert.equal(thing.fields._password, undefined, "the password does not come back");
  });
  assert.equal(exchange?.headers["content-type"], "application/vnd.kii.ThingRegistrationAndAuthorizationRequest+json");
  assert.equal(exchange?.headers["authorization"], undefined);

  const [second] = await succeeds((cb) => KiiThing.register({ _vendorThingID: unique("thing"), _password: password }, cb));
  assert.ok(second.getThingID());
});

test("a vendorThingID that is taken is refused", async () => {
  const { sdk, vendorThingID } = await newDevice(wire.site);
  const fields = { _vendorThingID: vendorThingID, _password: password };
  const error = await rejects(sdk.KiiThing.register(fields));
  assert.match(error.message, /^register thing failed\. statusCode: 409 error code: THING_ALREADY_EXISTS message: ./);
  const { failure } = await fails((cb) => sdk.KiiThing.register(fields, cb));
  assert.equal(failure[0].message, error.message);
});

test("a thing without a password, or without an id, is refused", async () => {
  const { KiiThing } = newSdk(wire.site);
  for (const fields of [{ _vendorThingID: unique("thing") }, { _password: password }]) {
    const error = await rejects(KiiThing.register(fields as never));
    assert.match(error.message, /^register thing failed\. statusCode: 400 error code: INVALID_INPUT_DATA message: ./);
  }
});

test("authenticateAsThing logs a thing in", async () => {
  const sdk = newSdk(wire.site);
  const vendorThingID = unique("thing");
  const registered = await sdk.KiiThing.register({ _vendorThingID: vendorThingID, _password: password });
  const context = await sdk.Kii.authenticateAsThing(vendorThingID, password);
  const thing = context.getAuthenticatedThing();
  assert.equal(thing.getThingID(), registered.getThingID());
  assert.equal(thing.getVendorThingID(), vendorThingID);
  assert.notEqual(thing.getAccessToken(), registered.getAccessToken());
  assert.equal(sdk.Kii.loggedIn(), false, "a thing is not the current user");
  const [again] = await succeeds((cb) => sdk.Kii.authenticateAsThing(vendorThingID, password, cb));
  assert.equal(again.getAuthenticatedThing().getThingID(), registered.getThingID());
});

test("a wrong password, an unknown thing and an empty name", async () => {
  const { sdk, vendorThingID } = await newDevice(wire.site);
  const error = await rejects(sdk.Kii.authenticateAsThing(vendorThingID, "not the password"));
  assert.match(error.message, /^authenticate as thing failed\. statusCode: 400 error code: invalid_grant/);
  const { failure } = await fails((cb) => sdk.Kii.authenticateAsThing(unique("thing"), password, cb));
  assert.equal(failure[0].message, error.message);
  const sent = await wire.during(async () => {
    assert.equal((await rejects(sdk.Kii.authenticateAsThing("", password))).message, "vendorThingID or password is invalid");
    assert.equal((await rejects(sdk.Kii.authenticateAsThingWithToken("", "x"))).message, "thingID or token is invalid");
  });
  assert.equal(sent.length, 0);
});

test("a token makes the context without a request", async () => {
  const { sdk, thing } = await newDevice(wire.site);
  const sent = await wire.during(async () => {
    const context = await sdk.Kii.authenticateAsThingWithToken(thing.getThingID(), thing.getAccessToken());
    assert.equal(context.getAuthenticatedThing().getThingID(), thing.getThingID());
    await succeeds((cb) => sdk.Kii.authenticateAsThingWithToken(thing.getThingID(), thing.getAccessToken(), cb));
  });
  assert.equal(sent.length, 0);
});

test("a thing reads and changes itself", async () => {
  const { context, thing, vendorThingID } = await newDevice(wire.site);
  await thing.refresh();
  assert.equal(thing.getVendorThingID(), vendorThingID);
  thing.fields["room"] = "kitchen";
  thing.fields["_stringField2"] = "y";
  assert.equal(await thing.update(), thing);
  const same = context.getAuthenticatedThing();
  const [refreshed] = await succeeds((cb) => same.refresh(cb));
  assert.equal(refreshed.fields.room, "kitchen");
  assert.equal(refreshed.fields._stringField2, "y");
  refreshed.fields.room = "50%";
  await succeeds((cb) => refreshed.update(cb));
  const again = context.getAuthenticatedThing();
  await again.refresh();
  assert.equal(again.fields["room"], "50%");
});

test("a thing that deletes itself is gone", async () => {
  const { sdk, thing, vendorThingID } = await newDevice(wire.site);
  assert.equal(await thing.deleteThing(), thing);
  const error = await rejects(thing.refresh());
  assert.match(error.message, /^refresh thing failed\. statusCode: 401 error code: UNAUTHORIZED message: ./);
  assert.equal(error.target, thing);
  assert.match((await rejects(sdk.Kii.authenticateAsThing(vendorThingID, password))).message, /statusCode: 400 error code: invalid_grant/);
  const { thing: other } = await newDevice(wire.site);
  const [deleted] = await succeeds((cb) => other.deleteThing(cb));
  assert.equal(deleted, other);
});

test("a user looks at things as far as the cloud allows", async () => {
  const { sdk } = await newPerson(wire.site);
  const { thing, vendorThingID } = await newDevice(wire.site);
  for (const load of [
    (cb?: SdkCallbacks) => sdk.KiiThing.loadWithThingID(thing.getThingID(), cb),
    (cb?: SdkCallbacks) => sdk.KiiThing.loadWithVendorThingID(vendorThingID, cb),
  ]) {
    const error = await rejects(load());
    assert.equal((await fails((cb) => load(cb))).error.message, error.message);
    assert.match(error.message, /^load thing failed\. statusCode: 401 error code: UNAUTHORIZED message: ./);
  }
  const { failure } = await fails((cb) => sdk.KiiThing.loadWithThingID(unique("nothing"), cb));
  assert.match(failure[0].message, /^load thing failed\. statusCode: 40[14] error code: (UNAUTHORIZED|THING_NOT_FOUND) message: ./);
});

test("a thing installs itself for push, and uninstalls", async () => {
  const { context, thing, sdk } = await newDevice(wire.site);
  const push = context.pushInstallation();
  const installed = await push.installMqtt(false);
  const [again] = await succeeds((cb) => push.installMqtt(true, cb));
  assert.deepEqual(again, installed);
  const endpoint = await push.getMqttEndpoint(installed.installationID);
  assert.equal(endpoint.installationID, installed.installationID);
  await succeeds((cb) => push.getMqttEndpoint(installed.installationID, cb));
  await push.uninstall(installed.installationRegistrationID, "MQTT");
  const error = await rejects(push.getMqttEndpoint(installed.installationID));
  assert.match(error.message, /^get mqtt endpoint failed\. statusCode: 404 error code: INSTALLATION_NOT_FOUND message: ./);
  assert.equal(error.target, push);

  const next = await push.installMqtt(false);
  const { user } = await newPerson(wire.site);
  assert.match((await rejects(user.pushInstallation().uninstallByInstallationID(next.installationID))).message, /statusCode: 401 error code: UNAUTHORIZED/);
  await succeeds((cb) => push.uninstallByInstallationID(next.installationID, cb));
  assert.equal(sdk.Kii.getCurrentUser(), null);
  assert.ok(thing.getThingID());
});

for (const transport of ["tcp", "tls"] as const) {
  test(`a thing receives over ${transport} what is for it`, async () => {
    const { sdk, context, thing } = await newDevice(wire.site);
    const push = context.pushInstallation();
    const { installationID } = await push.installMqtt(false);
    const receiver = await withMqttJs(await push.getMqttEndpoint(installationID), transport, 4, 1);
    const message = new sdk.KiiPushMessageBuilder({ over: transport }).build();
    await pushDirectly(thing.getAccessToken(), `/things/${thing.getThingID()}`, message);
    assert.equal((await receiver.next()).over, transport);
    await thing.deleteThing();
    await receiver.ended;
  });
}
