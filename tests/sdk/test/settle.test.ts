// Every Promise settles: a raw '%' in a response would leave the SDK's for ever pending,
// or end the process, since the SDK decodes whole responses as if they were URLs.

import { strict as assert } from "node:assert";
import { test } from "node:test";
import { rejects } from "../lib/callbacks.js";
import { unique } from "../lib/cloud.js";
import { newAdmin, newPerson, newSdk, password, wireFor } from "../lib/people.js";
import { withMqttJs } from "../lib/receivers.js";

const wire = await wireFor();
const texts = ["%", "100% sure", "%41", "%zz", "%E3%81", "%u0041", "a%", "\\u0025", '"%"', "\u2028%\u2029"];

test("a user's fields", async () => {
  const { sdk, user, name } = await newPerson(wire.site);
  const admin = await newAdmin(wire.site);
  for (const text of texts) {
    user.setDisplayName(text);
    user.set("motto", text);
    await user.save();
    const again = await sdk.KiiUser.authenticate(name, password);
    await again.refresh();
    assert.equal(again.getDisplayName(), text);
    assert.equal(again.get("motto"), text);
    assert.equal((await sdk.KiiUser.findUserByUsername(name)).getDisplayName(), text);
    const [, found] = await admin.context.findUserByUsername(name);
    assert.equal(found.get("motto"), text);
  }
  // Now that the user has such a name: the calls whose responses the SDK decodes.
  const push = user.pushInstallation();
  const { installationID } = await push.installMqtt(false);
  await push.getMqttEndpoint(installationID);
  await push.uninstallByInstallationID(installationID);
});

test("a thing's fields, whose responses the SDK decodes", async () => {
  const sdk = newSdk(wire.site);
  for (const text of texts) {
    const vendorThingID = unique("thing");
    const registered = await sdk.KiiThing.register({ _vendorThingID: vendorThingID, _password: "50% pass", motto: text, [text]: 1, list: [text] });
    assert.equal(registered.fields["motto"], text);
    assert.equal(registered.fields[text], 1);
    assert.deepEqual(registered.fields["list"], [text]);
    const thing = (await sdk.Kii.authenticateAsThing(vendorThingID, "50% pass")).getAuthenticatedThing();
    await thing.refresh();
    assert.equal(thing.fields["motto"], text);
    thing.fields["motto"] = `${text}${text}`;
    await thing.update();
    await thing.refresh();
    assert.equal(thing.fields["motto"], `${text}${text}`);
  }
});

test("errors that quote what was wrong", async () => {
  const { sdk, user } = await newPerson(wire.site);
  const admin = await newAdmin(wire.site);
  for (const text of ["%", "100%", "%41", "%zz"]) {
    const name = encodeURIComponent(text);
    const pairs: [RegExp, () => Promise<unknown>][] = [
      [/^save topic failed\. statusCode: 400 error code: INVALID_INPUT_DATA message: ./, () => user.topicWithName(name).save()],
      [/^delete topic failed\. statusCode: 404 error code: TOPIC_NOT_FOUND message: ./, () => user.topicWithName(name).deleteTopic()],
      [/^get mqtt endpoint failed\. statusCode: 404 error code: INSTALLATION_NOT_FOUND message: ./, () => user.pushInstallation().getMqttEndpoint(name)],
      [/^refresh thing failed\. statusCode: 404 error code: THING_NOT_FOUND message: ./, () => admin.context.loadThingWithThingID(name)],
      [/^refresh thing failed\. statusCode: 404 error code: THING_NOT_FOUND message: ./, () => admin.context.loadThingWithVendorThingID(name)],
      [/^Failed to find user\. statusCode: 404 error code: USER_NOT_FOUND error message: ./, () => sdk.KiiUser.findUserByUsername(name)],
      [/^invalid_grant: ./, () => sdk.KiiUser.authenticate(`${text}@example.com`, password)],
      [/^authenticate as thing failed\. statusCode: 400 error code: invalid_grant message: ./, () => sdk.Kii.authenticateAsThing(text, password)],
    ];
    for (const [message, call] of pairs) assert.match((await rejects(call())).message, message, text);
  }
});

test("a push whose data is full of it", async () => {
  const { sdk, user } = await newPerson(wire.site);
  const push = user.pushInstallation();
  const { installationID } = await push.installMqtt(false);
  const receiver = await withMqttJs(await push.getMqttEndpoint(installationID), "ws", 4, 1);
  const topic = user.topicWithName(unique("topic"));
  await topic.save();
  await user.pushSubscription().subscribe(topic);
  for (const text of texts) {
    await topic.sendMessage(new sdk.KiiPushMessageBuilder({ [text]: text }).build());
    assert.equal((await receiver.next())[text], text);
  }
  await receiver.close();
});

test("many calls at once all settle", async () => {
  const { user } = await newPerson(wire.site);
  user.setDisplayName("100%");
  await user.save();
  const push = user.pushInstallation();
  const { installationID } = await push.installMqtt(false);
  const calls = Array.from({ length: 60 }, (_, i) => {
    switch (i % 4) {
      case 0: return push.installMqtt(false);
      case 1: return push.getMqttEndpoint(installationID);
      case 2: return user.refresh();
      default: return user.topicWithName(`topic-${i}`).save();
    }
  });
  const results = await Promise.allSettled(calls);
  assert.deepEqual(results.filter((result) => result.status === "rejected"), []);
});
