// Bucket subscriptions, whose paths the SDK writes with a double slash, and their events.

import { strict as assert } from "node:assert";
import { test } from "node:test";
import { rejects, succeeds } from "../lib/callbacks.js";
import { clouds, unique } from "../lib/cloud.js";
import { newAdmin, newDevice, newPerson, wireFor } from "../lib/people.js";
import { withMqttJs, type Receiver } from "../lib/receivers.js";

const wire = await wireFor();
const admin = await newAdmin(wire.site);
const person = await newPerson(wire.site);
const device = await newDevice(wire.site);
const appID = clouds.main.appID;

async function receiverOf(push: KiiCloud.KiiPushInstallation): Promise<Receiver> {
  const { installationID } = await push.installMqtt(false);
  return withMqttJs(await push.getMqttEndpoint(installationID), "ws", 4, 1);
}

const userID = person.user.getID();
const thingID = device.thing.getThingID();
const cases: [string, KiiCloud.KiiPushSubscription, (name: string) => KiiCloud.KiiBucket, string][] = [
  ["a user to the app's", person.user.pushSubscription(), (name) => person.sdk.Kii.bucketWithName(name), ""],
  ["a user to his own", person.user.pushSubscription(), (name) => person.user.bucketWithName(name), `/users/${userID}`],
  ["a user, by an administrator, to the app's", admin.context.userWithID(userID).pushSubscription(), (name) => admin.context.bucketWithName(name), ""],
  ["a thing to the app's", device.thing.pushSubscription(), (name) => device.context.bucketWithName(name), ""],
  ["a thing to its own", device.thing.pushSubscription(), (name) => device.thing.bucketWithName(name), `/things/${thingID}`],
];

for (const [what, subscription, bucketWithName, scope] of cases) {
  test(`subscribe, isSubscribed, unsubscribe: ${what} bucket`, async () => {
    const bucket = bucketWithName(unique("bucket"));
    await bucket.createObject().save(); // then the bucket is there
    assert.deepEqual(await subscription.isSubscribed(bucket), [subscription, bucket, false]);
    const [sent] = await wire.during(async () => assert.deepEqual(await subscription.subscribe(bucket), [subscription, bucket]));
    const subscriber = subscription.getSubscriber() instanceof device.sdk.KiiThing ? `things/${thingID}` : `users/${userID}`;
    assert.equal(sent?.path, `/api/apps/${appID}/${scope}/buckets/${bucket.getBucketName()}/filters/all/push/subscriptions/${subscriber}`);
    assert.deepEqual([sent?.method, sent?.status], ["PUT", 204]);
    assert.deepEqual(await subscription.isSubscribed(bucket), [subscription, bucket, true]);
    assert.match((await rejects(subscription.subscribe(bucket))).message, /^subscribe failed\. statusCode: 409 error code: PUSH_SUBSCRIPTION_ALREADY_EXISTS message: ./);
    assert.deepEqual(await subscription.unsubscribe(bucket), [subscription, bucket]);
    assert.match((await rejects(subscription.unsubscribe(bucket))).message, /^unsubscribe failed\. statusCode: 404 error code: (FILTER|PUSH_SUBSCRIPTION)_NOT_FOUND message: ./);

    assert.deepEqual(await succeeds((cb) => subscription.subscribe(bucket, cb)), [subscription, bucket]);
    assert.deepEqual(await succeeds((cb) => subscription.isSubscribed(bucket, cb)), [subscription, bucket, true]);
    assert.deepEqual(await succeeds((cb) => subscription.unsubscribe(bucket, cb)), [subscription, bucket]);
    assert.deepEqual(await succeeds((cb) => subscription.isSubscribed(bucket, cb)), [subscription, bucket, false]);
  });
}

test("nobody subscribes to what is somebody else's, nor somebody else", async () => {
  const { sdk, user } = await newPerson(wire.site);
  const bucket = sdk.Kii.bucketWithName(unique("bucket"));
  await bucket.createObject().save();
  const theirs = sdk.KiiUser.userWithID(userID);
  const denied = /^subscribe failed\. statusCode: 401 error code: UNAUTHORIZED message: ./;
  assert.match((await rejects(user.pushSubscription().subscribe(theirs.bucketWithName("b")))).message, denied);
  assert.match((await rejects(user.pushSubscription().subscribe(sdk.KiiThing.thingWithID(thingID).bucketWithName("b")))).message, denied);
  assert.match((await rejects(theirs.pushSubscription().subscribe(bucket))).message, denied);
});

for (const [what, bucketWithName, scopeType, scopeUserID] of [
  ["the app's", (name: string) => person.sdk.Kii.bucketWithName(name), "APP", undefined],
  ["the user's", (name: string) => person.user.bucketWithName(name), "APP_AND_USER", userID],
] as const) {
  test(`what happens in ${what} bucket is told to the subscriber`, async () => {
    const bucket = bucketWithName(unique("bucket"));
    await person.user.pushSubscription().subscribe(bucket);
    const receiver = await receiverOf(person.user.pushInstallation());
    const object = bucket.createObject();
    object.set("n", 1);
    await object.save();
    const created = await receiver.next();
    object.set("n", 2);
    await object.save();
    const patched = await receiver.next();
    await object.saveAllFields();
    const replaced = await receiver.next();
    await object.delete();
    const deleted = await receiver.next();

    const types = [created, patched, replaced, deleted].map((event) => event.type);
    assert.deepEqual(types, ["DATA_OBJECT_CREATED", "DATA_OBJECT_UPDATED", "DATA_OBJECT_UPDATED", "DATA_OBJECT_DELETED"]);
    for (const event of [created, patched, replaced, deleted]) {
      const { bucketID, objectID, origin, objectScopeAppID, objectScopeType, objectScopeUserID, sender } = event;
      assert.deepEqual([bucketID, objectID, origin, objectScopeAppID], [bucket.getBucketName(), object.getID(), "EVENT", appID]);
      assert.deepEqual([objectScopeType, objectScopeUserID], [scopeType, scopeUserID]);
      assert.equal(sender, userID);
    }
    assert.ok(created.modifiedAt > 0);
    assert.ok(patched.modifiedAt >= created.modifiedAt);

    await person.user.pushSubscription().unsubscribe(bucket);
    await bucket.createObject().save();
    const other = bucketWithName(unique("bucket"));
    await person.user.pushSubscription().subscribe(other);
    await other.createObject().save();
    assert.equal((await receiver.next()).bucketID, other.getBucketName(), "nothing of the first bucket in between");
    await receiver.close();
  });
}

test("everybody who is subscribed to the app's bucket is told, things too", async () => {
  const name = unique("bucket");
  const maker = await newPerson(wire.site);
  await person.user.pushSubscription().subscribe(person.sdk.Kii.bucketWithName(name));
  await device.thing.pushSubscription().subscribe(device.context.bucketWithName(name));
  await device.thing.pushSubscription().subscribe(device.thing.bucketWithName(name));
  const receivers = [await receiverOf(person.user.pushInstallation()), await receiverOf(device.context.pushInstallation())];
  const object = maker.sdk.Kii.bucketWithName(name).createObject();
  await object.save();
  for (const receiver of receivers) {
    const event = await receiver.next();
    assert.deepEqual([event.type, event.objectID, event.sender], ["DATA_OBJECT_CREATED", object.getID(), maker.user.getID()]);
  }
  const own = device.thing.bucketWithName(name).createObject();
  await own.save();
  const event = await receivers[1]!.next();
  assert.deepEqual([event.objectScopeType, event.objectScopeThingID, event.objectID], ["APP_AND_THING", thingID, own.getID()]);
  await Promise.all(receivers.map((receiver) => receiver.close()));
});
