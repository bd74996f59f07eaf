// Messages: what KiiPushMessageBuilder builds, and what of it arrives.

import { strict as assert } from "node:assert";
import { test } from "node:test";
import { fails, rejects, succeeds } from "../lib/callbacks.js";
import { clouds, unique } from "../lib/cloud.js";
import { newAdmin, newDevice, newPerson, wireFor } from "../lib/people.js";
import { withMqttJs, type Receiver } from "../lib/receivers.js";
import { pushDirectly } from "../lib/rest.js";

const wire = await wireFor();
const admin = await newAdmin(wire.site);
const appID = clouds.main.appID;

/** Installs and connects. */
async function receiverOf(push: KiiCloud.KiiPushInstallation, development = false): Promise<Receiver> {
  const { installationID } = await push.installMqtt(development);
  return withMqttJs(await push.getMqttEndpoint(installationID), "ws", 4, 1);
}

test("a message to the app's topic reaches every subscriber and nobody else", async () => {
  const topic = admin.context.topicWithName(unique("topic"));
  await topic.save();
  const users = await Promise.all([1, 2, 3].map(() => newPerson(wire.site)));
  const receivers = await Promise.all(users.map(({ user }) => receiverOf(user.pushInstallation())));
  const device = await newDevice(wire.site);
  const deviceReceiver = await receiverOf(device.context.pushInstallation());
  for (const { user, sdk } of users.slice(0, 2)) await user.pushSubscription().subscribe(sdk.Kii.topicWithName(topic.getName()));
  await device.thing.pushSubscription().subscribe(device.context.topicWithName(topic.getName()));

  const message = new admin.sdk.KiiPushMessageBuilder({ text: "to all", n: 1, yes: true }).build();
  assert.deepEqual(await topic.sendMessage(message), [topic, message]);
  for (const receiver of [receivers[0], receivers[1], deviceReceiver]) {
    const got = await receiver?.next();
    assert.deepEqual([got.text, got.n, got.yes, got.topic], ["to all", 1, true, topic.getName()]);
  }
  // The third gets what is sent to him later, and got nothing before it.
  await pushDirectly(users[2]!.user.getAccessToken(), "/users/me", new admin.sdk.KiiPushMessageBuilder({ text: "to him" }).build());
  assert.equal((await receivers[2]?.next()).text, "to him");

  await users[0]!.user.pushSubscription().unsubscribe(users[0]!.sdk.Kii.topicWithName(topic.getName()));
  assert.deepEqual(await succeeds((cb) => topic.sendMessage(message, cb)), [topic, message]);
  await receivers[1]?.next();
  await pushDirectly(users[0]!.user.getAccessToken(), "/users/me", new admin.sdk.KiiPushMessageBuilder({ text: "last" }).build());
  assert.equal((await receivers[0]?.next()).text, "last");
  await Promise.all([...receivers, deviceReceiver].map((receiver) => receiver.close()));
});

test("the owner of a user's or a thing's topic sends to it", async () => {
  const { sdk, user } = await newPerson(wire.site);
  const device = await newDevice(wire.site);
  for (const [topic, subscription, push] of [
    [user.topicWithName(unique("topic")), user.pushSubscription(), user.pushInstallation()],
    [device.thing.topicWithName(unique("topic")), device.thing.pushSubscription(), device.context.pushInstallation()],
  ] as const) {
    await topic.save();
    await subscription.subscribe(topic);
    const receiver = await receiverOf(push);
    await topic.sendMessage(new sdk.KiiPushMessageBuilder({ text: "mine" }).build());
    assert.equal((await receiver.next()).text, "mine");
    await receiver.close();
  }
});

test("all flags: what the receiver is told beside the data", async () => {
  const { sdk, user } = await newPerson(wire.site);
  const topic = user.topicWithName(unique("topic"));
  await topic.save();
  await user.pushSubscription().subscribe(topic);
  const receiver = await receiverOf(user.pushInstallation());
  const flags = ["sendAppID", "sendSender", "sendWhen", "sendOrigin", "sendObjectScope", "sendTopicID"];
  const withAll = (value: boolean) => ({ ...new sdk.KiiPushMessageBuilder({ k: "v" }).build(), ...Object.fromEntries(flags.map((f) => [f, value])) });

  const before = Date.now();
  await topic.sendMessage({ ...withAll(true), pushMessageType: "greeting" });
  const { when, ...told } = await receiver.next();
  assert.deepEqual(told, {
    k: "v",
    type: "greeting",
    appID,
    sender: user.getID(),
    senderURI: `kiicloud://users/${user.getID()}`,
    sourceURI: `kiicloud://users/${user.getID()}/topics/${topic.getName()}`,
    origin: "EXPLICIT",
    topic: topic.getName(),
    objectScopeType: "APP_AND_USER",
    objectScopeAppID: appID,
    objectScopeUserID: user.getID(),
  });
  assert.ok(when >= before - 60_000 && when <= Date.now() + 60_000, String(when));

  await topic.sendMessage(withAll(false));
  assert.deepEqual(await receiver.next(), { k: "v" });
  await receiver.close();
});

test("a thing's topic and the app's are told as such", async () => {
  const device = await newDevice(wire.site);
  const own = device.thing.topicWithName(unique("topic"));
  const ofApp = admin.context.topicWithName(unique("topic"));
  const receiver = await receiverOf(device.context.pushInstallation());
  // An SDK takes the topics of another one for none.
  for (const [topic, same] of [[own, own], [ofApp, device.context.topicWithName(ofApp.getName())]] as const) {
    await topic.save();
    await device.thing.pushSubscription().subscribe(same);
    await topic.sendMessage({ ...new admin.sdk.KiiPushMessageBuilder({}).build(), sendObjectScope: true, sendSender: true });
  }
  const thingID = device.thing.getThingID();
  const first = await receiver.next();
  assert.deepEqual([first.objectScopeType, first.objectScopeThingID, first.senderURI], ["APP_AND_THING", thingID, `kiicloud://things/${thingID}`]);
  const second = await receiver.next();
  assert.deepEqual([second.objectScopeType, second.objectScopeUserID, second.senderURI], ["APP", undefined, "kiicloud://admins/APP_ADMIN"]);
  await receiver.close();
});

test("the builder: each channel, and data for MQTT alone", async () => {
  const { sdk, user } = await newPerson(wire.site);
  const topic = user.topicWithName(unique("topic"));
  await topic.save();
  await user.pushSubscription().subscribe(topic);
  const receiver = await receiverOf(user.pushInstallation());
  const all = new sdk.KiiPushMessageBuilder({ text: "for all" })
    .enableGcm(true).gcmData({ a: "1" }).gcmCollapseKey("key").gcmDelayWhileIdle(true).gcmTimeToLive(60).gcmRestrictedPackageName("p")
    .enableApns(true).apnsData({ b: 2 }).apnsAlert("alert").apnsSound("sound").apnsBadge(1).apnsContentAvailable(1)
    .apnsCategory("category").apnsMutableContent(1)
    .enableJpush(true).jpushData({ c: true })
    .enableMqtt(true);
  await topic.sendMessage(all.build());
  assert.equal((await receiver.next()).text, "for all");
  await topic.sendMessage(all.mqttData({ text: "for MQTT" }).build());
  assert.equal((await receiver.next()).text, "for MQTT");

  await topic.sendMessage(new sdk.KiiPushMessageBuilder({ text: "not for MQTT" }).enableMqtt(false).build());
  await topic.sendMessage(new sdk.KiiPushMessageBuilder({ text: "next" }).build());
  assert.equal((await receiver.next()).text, "next");
  await receiver.close();
});

test("development and production are kept apart", async () => {
  const { sdk, user } = await newPerson(wire.site);
  const topic = user.topicWithName(unique("topic"));
  await topic.save();
  await user.pushSubscription().subscribe(topic);
  for (const development of [true, false]) {
    const receiver = await receiverOf(user.pushInstallation(), development);
    const message = (text: string, toDevelopment: boolean, toProduction: boolean) =>
      new sdk.KiiPushMessageBuilder({ text }).setSendToDevelopment(toDevelopment).setSendToProduction(toProduction).build();
    await topic.sendMessage(message("other", !development, development));
    await topic.sendMessage(message("mine", development, !development));
    await topic.sendMessage(message("none", false, false));
    await topic.sendMessage(message("both", true, true));
    assert.equal((await receiver.next()).text, "mine");
    assert.equal((await receiver.next()).text, "both");
    await receiver.close();
  }
});

test("4096 bytes are a message, one more is none", async () => {
  const { sdk, user } = await newPerson(wire.site);
  const topic = user.topicWithName(unique("topic"));
  await topic.save();
  await user.pushSubscription().subscribe(topic);
  const receiver = await receiverOf(user.pushInstallation());
  const flags = { sendSender: false, sendTopicID: false, sendObjectScope: false };
  const text = "x".repeat(4096 - '{"t":""}'.length);
  await topic.sendMessage({ ...new sdk.KiiPushMessageBuilder({ t: text }).build(), ...flags });
  assert.deepEqual(await receiver.next(), { t: text });
  const error = await rejects(topic.sendMessage({ ...new sdk.KiiPushMessageBuilder({ t: `${text}x` }).build(), ...flags }));
  assert.match(error.message, /^send messages failed\. statusCode: 4\d\d error code: [A-Z_]+ message: ./);
  assert.equal(error.target, topic);
  await receiver.close();
});

test("messages that are none, topics that are not there, senders who may not", async () => {
  const { sdk, user } = await newPerson(wire.site);
  const topic = user.topicWithName(unique("topic"));
  const message = new sdk.KiiPushMessageBuilder({ text: "x" }).build();
  const missing = await rejects(topic.sendMessage(message));
  assert.match(missing.message, /^send messages failed\. statusCode: 404 error code: TOPIC_NOT_FOUND message: ./);
  await topic.save();
  for (const bad of [{ data: { text: "x" } }, new sdk.KiiPushMessageBuilder({ nested: {} }).build(), new sdk.KiiPushMessageBuilder({ list: [] }).build()]) {
    const { failure, error } = await fails((cb) => topic.sendMessage(bad, cb));
    assert.equal(failure[0], error);
    assert.match(error.message, /^send messages failed\. statusCode: 400 error code: INVALID_INPUT_DATA message: ./);
  }
  const ofApp = admin.context.topicWithName(unique("topic"));
  await ofApp.save();
  const denied = await rejects(sdk.Kii.topicWithName(ofApp.getName()).sendMessage(message));
  assert.match(denied.message, /^send messages failed\. statusCode: 401 error code: UNAUTHORIZED message: ./);
});
