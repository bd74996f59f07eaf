// Objects in buckets of the app, of users and of things.

import { strict as assert } from "node:assert";
import { test } from "node:test";
import { fails, rejects, succeeds } from "../lib/callbacks.js";
import { unique } from "../lib/cloud.js";
import { newAdmin, newDevice, newPerson, wireFor } from "../lib/people.js";

const wire = await wireFor();
const admin = await newAdmin(wire.site);
const person = await newPerson(wire.site);
const device = await newDevice(wire.site);

const scopes: [string, (name: string) => KiiCloud.KiiBucket][] = [
  ["the app, as a user", (name) => person.sdk.Kii.bucketWithName(name)],
  ["the app, as a thing", (name) => device.context.bucketWithName(name)],
  ["the app, as an administrator", (name) => admin.context.bucketWithName(name)],
  ["a user, as himself", (name) => person.user.bucketWithName(name)],
  ["a user, as an administrator", (name) => admin.context.userWithID(person.user.getID()).bucketWithName(name)],
  ["a thing, as itself", (name) => device.thing.bucketWithName(name)],
  ["a thing, as an administrator", (name) => admin.context.thingWithID(device.thing.getThingID()).bucketWithName(name)],
];

for (const [what, bucketWithName] of scopes) {
  test(`save, refresh, save again, delete: an object of ${what}`, async () => {
    const bucket = bucketWithName(unique("bucket"));
    const object = bucket.createObject();
    object.set("score", 7);
    object.set("tags", ["a", { b: null }]);
    object.set("motto", "100%");
    assert.equal(await object.save(), object);
    assert.ok(object.getID());
    assert.ok(object.getCreated() > 0);

    const same = bucket.createObjectWithID(object.getID());
    assert.equal(await same.refresh(), same);
    assert.deepEqual([same.get("score"), same.get("tags"), same.get("motto")], [7, ["a", { b: null }], "100%"]);
    assert.equal(same.getCreated(), object.getCreated());

    same.set("score", 8);
    assert.equal(await same.save(), same, "save sends what was set since");
    await object.refresh();
    assert.deepEqual([object.get("score"), object.get("motto")], [8, "100%"]);

    const whole = bucket.createObjectWithID(object.getID());
    whole.set("only", true);
    assert.equal(await whole.saveAllFields(), whole, "saveAllFields replaces the object");
    await object.refresh();
    assert.deepEqual([object.get("only"), object.get("score")], [true, undefined]);

    assert.equal(await object.delete(), object);
    const error = await rejects(same.refresh());
    assert.match(error.message, /^OBJECT_NOT_FOUND: ./);
    assert.equal(error.target, same);
    assert.match((await rejects(object.delete())).message, /^OBJECT_NOT_FOUND: ./);
  });

  test(`the same in the callback style: an object of ${what}`, async () => {
    const bucket = bucketWithName(unique("bucket"));
    const object = bucket.createObject();
    object.set("n", 1);
    assert.deepEqual(await succeeds((cb) => object.save(cb)), [object]);
    object.set("n", 2);
    assert.deepEqual(await succeeds((cb) => object.saveAllFields(cb)), [object]);
    assert.deepEqual(await succeeds((cb) => object.refresh(cb)), [object]);
    assert.equal(object.get("n"), 2);
    assert.deepEqual(await succeeds((cb) => object.delete(cb)), [object]);
    const { failure } = await fails((cb) => object.refresh(cb));
    assert.equal(failure[0], object);
    assert.match(failure[1], /^OBJECT_NOT_FOUND: ./);
  });
}

test("an object whose id the app chose", async () => {
  const bucket = person.user.bucketWithName(unique("bucket"));
  const id = unique("object");
  const object = bucket.createObjectWithID(id);
  object.set("n", 1);
  await object.saveAllFields();
  assert.equal(object.getID(), id);
  assert.equal(object.objectURI(), `kiicloud://users/${person.user.getID()}/buckets/${bucket.getBucketName()}/objects/${id}`);
  const again = bucket.createObjectWithID(id);
  await again.refresh();
  assert.equal(again.get("n"), 1);
  assert.throws(() => bucket.createObjectWithID("a b"));
});

test("an object with a type", async () => {
  const object = person.sdk.Kii.bucketWithName(unique("bucket")).createObjectWithType("note");
  object.set("n", 1);
  const [sent] = await wire.during(() => object.save());
  assert.equal(sent?.headers["content-type"], "application/vnd.demo.note+json");
  await object.refresh();
  assert.equal(object.get("n"), 1);
});

test("overwrite false keeps what somebody else has changed", async () => {
  const bucket = person.user.bucketWithName(unique("bucket"));
  const mine = bucket.createObject();
  mine.set("n", 1);
  await mine.save();
  const theirs = bucket.createObjectWithID(mine.getID());
  await theirs.refresh();
  theirs.set("n", 2);
  await theirs.save(undefined, false);

  mine.set("n", 3);
  assert.match((await rejects(mine.save(undefined, false))).message, /^OBJECT_VERSION_IS_STALE: ./);
  assert.match((await rejects(mine.saveAllFields(undefined, false))).message, /^OBJECT_VERSION_IS_STALE: ./);
  await mine.refresh();
  assert.equal(mine.get("n"), 2);
  mine.set("n", 3);
  await mine.saveAllFields(undefined, false);
  await theirs.refresh();
  assert.equal(theirs.get("n"), 3);

  const taken = bucket.createObjectWithID(mine.getID());
  taken.set("n", 4);
  assert.match((await rejects(taken.saveAllFields(undefined, false))).message, /^OBJECT_ALREADY_EXISTS: ./);
});

test("an object is found by its URI", async () => {
  const { KiiObject } = person.sdk;
  for (const [bucket, find] of [
    [person.user.bucketWithName(unique("bucket")), (uri: string) => KiiObject.objectWithURI(uri)],
    [person.sdk.Kii.bucketWithName(unique("bucket")), (uri: string) => KiiObject.objectWithURI(uri)],
    [device.thing.bucketWithName(unique("bucket")), (uri: string) => device.context.objectWithURI(uri)],
    [admin.context.bucketWithName(unique("bucket")), (uri: string) => admin.context.objectWithURI(uri)],
  ] as const) {
    const object = bucket.createObject();
    object.set("n", 1);
    await object.save();
    const found = find(object.objectURI());
    await found.refresh();
    assert.equal(found.get("n"), 1);
  }
});

test("objects of the app's buckets are changed by their makers and by administrators alone", async () => {
  const name = unique("bucket");
  const object = person.sdk.Kii.bucketWithName(name).createObject();
  object.set("n", 1);
  await object.save();
  const stranger = await newPerson(wire.site);
  const seen = stranger.sdk.Kii.bucketWithName(name).createObjectWithID(object.getID());
  await seen.refresh();
  assert.equal(seen.get("n"), 1);
  seen.set("n", 2);
  for (const call of [() => seen.save(), () => seen.saveAllFields(), () => seen.delete()]) {
    assert.match((await rejects(call())).message, /^UNAUTHORIZED: ./);
  }
  const byAdmin = admin.context.bucketWithName(name).createObjectWithID(object.getID());
  await byAdmin.refresh();
  byAdmin.set("n", 3);
  await byAdmin.save();
  await object.refresh();
  assert.equal(object.get("n"), 3);
  await byAdmin.delete();
});

test("a user's and a thing's buckets are closed to strangers", async () => {
  const stranger = await newPerson(wire.site);
  const mine = person.user.bucketWithName(unique("bucket"));
  const object = mine.createObject();
  await object.save();
  const theirs = stranger.sdk.KiiUser.userWithID(person.user.getID()).bucketWithName(mine.getBucketName());
  const things = stranger.sdk.KiiThing.thingWithID(device.thing.getThingID()).bucketWithName(mine.getBucketName());
  for (const call of [
    () => theirs.createObjectWithID(object.getID()).refresh(),
    () => theirs.createObjectWithID(object.getID()).delete(),
    () => theirs.createObject().save(),
    () => theirs.delete(),
    () => things.createObject().save(),
  ]) {
    assert.match((await rejects(call())).message, /^UNAUTHORIZED: ./);
  }
});

test("a bucket is deleted with what is in it", async () => {
  const bucket = person.user.bucketWithName(unique("bucket"));
  for (const callbacks of [false, true]) {
    const object = bucket.createObject();
    await object.save();
    if (callbacks) assert.deepEqual(await succeeds((cb) => bucket.delete(cb)), [bucket]);
    else assert.equal(await bucket.delete(), bucket);
    assert.match((await rejects(object.refresh())).message, /^(OBJECT|BUCKET)_NOT_FOUND: ./);
  }
});

test("a query for everything goes through a bucket page by page", async () => {
  const { KiiQuery, KiiClause } = person.sdk;
  const bucket = person.user.bucketWithName(unique("bucket"));
  for (let n = 0; n < 5; n++) {
    const object = bucket.createObject();
    object.set("n", n);
    object.set("motto", "100%");
    await object.save();
  }
  const found: number[] = [];
  let query: KiiCloud.KiiQuery | null = KiiQuery.queryWithClause(null as never);
  query.setLimit(2);
  for (let page = 0; query !== null; page++) {
    const asked: KiiCloud.KiiQuery = query;
    const [performed, objects, next] = page % 2 === 0 ? await bucket.executeQuery<KiiCloud.KiiObject>(asked) : await succeeds((cb) => bucket.executeQuery(asked, cb));
    assert.equal(performed, asked);
    assert.ok(objects.length <= 2);
    found.push(...objects.map((object: KiiCloud.KiiObject) => object.get<number>("n")));
    query = next;
  }
  assert.deepEqual(found.sort(), [0, 1, 2, 3, 4]);
  assert.equal((await bucket.executeQuery<KiiCloud.KiiObject>(null as never))[1].length, 5);

  assert.equal((await bucket.count())[2], 5);
  assert.equal((await succeeds((cb) => bucket.count(cb)))[2], 5);
  assert.equal((await bucket.countWithQuery(KiiQuery.queryWithClause(null as never)))[2], 5);
  assert.equal((await succeeds((cb) => bucket.countWithQuery(KiiQuery.queryWithClause(null as never), cb)))[2], 5);

  const narrow = KiiQuery.queryWithClause(KiiClause.equals("n", 1));
  assert.match((await rejects(bucket.executeQuery(narrow))).message, /^QUERY_NOT_SUPPORTED: ./);
});
