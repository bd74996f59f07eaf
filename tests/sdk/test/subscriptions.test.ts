// KiiPushSubscription: who gets what is sent to a topic.

import { strict as assert } from "node:assert";
import { test } from "node:test";
import { fails, rejects, succeeds } from "../lib/callbacks.js";
import { unique } from "../lib/cloud.js";
import { newAdmin, newDevice, newPerson, wireFor } from "../lib/people.js";

const wire = await wireFor();
const admin = await newAdmin(wire.site);
const person = await newPerson(wire.site);
const device = await newDevice(wire.site);
const userByAdmin = admin.context.userWithID(person.user.getID());
const thingByAdmin = admin.context.thingWithID(device.thing.getThingID());

const appTopic = admin.context.topicWithName(unique("topic"));
await appTopic.save();
const userTopic = person.user.topicWithName(unique("topic"));
await userTopic.save();
const thingTopic = device.thing.topicWithName(unique("topic"));
await thingTopic.save();

const cases: [string, () => KiiCloud.KiiPushSubscription, () => KiiCloud.KiiTopic][] = [
  ["a user, himself to the app's topic", () => person.user.pushSubscription(), () => person.sdk.Kii.topicWithName(appTopic.getName())],
  ["a user, himself to his own topic", () => person.user.pushSubscription(), () => userTopic],
  ["a user, by the administrator to the app's topic", () => userByAdmin.pushSubscription(), () => appTopic],
  ["a user, by the administrator to the user's topic", () => userByAdmin.pushSubscription(), () => userByAdmin.topicWithName(userTopic.getName())],
  ["a user, by the administrator to a thing's topic", () => userByAdmin.pushSubscription(), () => thingByAdmin.topicWithName(thingTopic.getName())],
  ["a thing, itself to the app's topic", () => device.thing.pushSubscription(), () => device.context.topicWithName(appTopic.getName())],
  ["a thing, itself to its own topic", () => device.thing.pushSubscription(), () => thingTopic],
  ["a thing, by the administrator to the app's topic", () => thingByAdmin.pushSubscription(), () => appTopic],
];

for (const [what, subscriptionOf, topicOf] of cases) {
  test(`subscribe, isSubscribed, unsubscribe: ${what}`, async () => {
    const subscription = subscriptionOf();
    const topic = topicOf();
    assert.deepEqual(await subscription.isSubscribed(topic), [subscription, topic, false]);
    assert.deepEqual(await subscription.subscribe(topic), [subscription, topic]);
    assert.deepEqual(await subscription.isSubscribed(topic), [subscription, topic, true]);
    const twice = await rejects(subscription.subscribe(topic));
    assert.match(twice.message, /^subscribe failed\. statusCode: 409 error code: PUSH_SUBSCRIPTION_ALREADY_EXISTS message: ./);
    assert.equal(twice.target, subscription);
    assert.deepEqual(await subscription.unsubscribe(topic), [subscription, topic]);
    const gone = await rejects(subscription.unsubscribe(topic));
    assert.match(gone.message, /^unsubscribe failed\. statusCode: 404 error code: PUSH_SUBSCRIPTION_NOT_FOUND message: ./);
    assert.equal(gone.target, subscription);
  });

  test(`the same in the callback style: ${what}`, async () => {
    const subscription = subscriptionOf();
    const topic = topicOf();
    assert.deepEqual(await succeeds((cb) => subscription.isSubscribed(topic, cb)), [subscription, topic, false]);
    assert.deepEqual(await succeeds((cb) => subscription.subscribe(topic, cb)), [subscription, topic]);
    assert.deepEqual(await succeeds((cb) => subscription.isSubscribed(topic, cb)), [subscription, topic, true]);
    const { failure, error } = await fails((cb) => subscription.subscribe(topic, cb));
    assert.equal(failure[0], error);
    assert.deepEqual(await succeeds((cb) => subscription.unsubscribe(topic, cb)), [subscription, topic]);
    await fails((cb) => subscription.unsubscribe(topic, cb));
  });
}

test("the requests are Kii's", async () => {
  const subscription = person.user.pushSubscription();
  const sent = await wire.during(async () => {
    await subscription.subscribe(userTopic);
    await subscription.isSubscribed(userTopic);
    await subscription.unsubscribe(userTopic);
  });
  const id = person.user.getID();
  const path = `/api/apps/demo/users/${id}/topics/${userTopic.getName()}/push/subscriptions/users/${id}`;
  assert.deepEqual(sent.map(({ method, path, status }) => [method, path, status]), [
    ["PUT", path, 204],
    ["GET", path, 204],
    ["DELETE", path, 204],
  ]);
});

test("nobody subscribes somebody else, but administrators", async () => {
  const { sdk, user } = await newPerson(wire.site);
  const other = sdk.KiiUser.userWithID(person.user.getID()).pushSubscription();
  const topic = sdk.Kii.topicWithName(appTopic.getName());
  for (const [action, call] of [
    ["subscribe", () => other.subscribe(topic)],
    ["unsubscribe", () => other.unsubscribe(topic)],
    ["Check is subscribed", () => other.isSubscribed(topic)],
    ["subscribe", () => user.pushSubscription().subscribe(sdk.KiiUser.userWithID(person.user.getID()).topicWithName(userTopic.getName()))],
  ] as const) {
    const error = await rejects(call());
    assert.ok(error.message.startsWith(`${action} failed. statusCode: 401 error code: UNAUTHORIZED message: `), error.message);
  }
});

test("a topic that is not there has no subscriptions", async () => {
  const topic = person.user.topicWithName(unique("topic"));
  const subscription = person.user.pushSubscription();
  for (const [action, call] of [
    ["subscribe", () => subscription.subscribe(topic)],
    ["unsubscribe", () => subscription.unsubscribe(topic)],
    ["Check is subscribed", () => subscription.isSubscribed(topic)],
  ] as const) {
    const error = await rejects(call());
    assert.ok(error.message.startsWith(`${action} failed. statusCode: 404 error code: TOPIC_NOT_FOUND message: `), error.message);
  }
});

test("a topic's end is the end of its subscriptions", async () => {
  const topic = person.user.topicWithName(unique("topic"));
  const subscription = person.user.pushSubscription();
  await topic.save();
  await subscription.subscribe(topic);
  await topic.deleteTopic();
  await topic.save();
  assert.equal((await subscription.isSubscribed(topic))[2], false);
});

test("what is no target never leaves the SDK", async () => {
  const subscription = person.user.pushSubscription();
  assert.equal(subscription.getSubscriber(), person.user.pushSubscription().getSubscriber());
  const sent = await wire.during(async () => {
    for (const call of [
      (cb?: SdkCallbacks) => subscription.subscribe(null as never, cb),
      (cb?: SdkCallbacks) => subscription.unsubscribe({} as never, cb),
      (cb?: SdkCallbacks) => subscription.isSubscribed("topic" as never, cb),
    ]) {
      const error = await rejects(call());
      assert.equal(error.target, subscription);
      await fails((cb) => call(cb));
    }
  });
  assert.equal(sent.length, 0);
});
