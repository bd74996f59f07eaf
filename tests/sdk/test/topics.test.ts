// Topics of the app, of users and of things: save, exists, delete, list.

import { strict as assert } from "node:assert";
import { test } from "node:test";
import { fails, rejects, succeeds } from "../lib/callbacks.js";
import { unique } from "../lib/cloud.js";
import { newAdmin, newDevice, newPerson, newSdk, wireFor } from "../lib/people.js";

const wire = await wireFor();

/** What has topics: a scope as its owner sees it. */
interface Scope {
  name: string;
  topicWithName(name: string): KiiCloud.KiiTopic;
  listTopics(callbacks?: SdkCallbacks, paginationKey?: string): Promise<[KiiCloud.KiiTopic[], string]>;
}

const admin = await newAdmin(wire.site);
const person = await newPerson(wire.site);
const device = await newDevice(wire.site);
const owned: Scope[] = [
  scope("the app, by the administrator", admin.context),
  scope("a user, by himself", person.user),
  scope("a user, by the administrator", admin.context.userWithID(person.user.getID())),
  scope("a thing, by itself", device.thing),
  scope("a thing, by the administrator", admin.context.thingWithID(device.thing.getThingID())),
];

function scope(name: string, owner: Omit<Scope, "name">): Scope {
  return { name, topicWithName: (topic) => owner.topicWithName(topic), listTopics: (cb, key) => owner.listTopics(cb, key) };
}

for (const { name: what, topicWithName } of owned) {
  test(`save, exists, deleteTopic: a topic of ${what}`, async () => {
    const topic = topicWithName(unique("topic"));
    assert.equal(await topic.exists(), false);
    assert.equal(await topic.save(), topic);
    assert.equal(await topic.exists(), true);

    const error = await rejects(topic.save());
    assert.match(error.message, /^save topic failed\. statusCode: 409 error code: TOPIC_ALREADY_EXISTS message: ./);
    assert.equal(error.target, topic);

    assert.equal(await topic.deleteTopic(), topic);
    assert.equal(await topic.exists(), false);
    const gone = await rejects(topic.deleteTopic());
    assert.match(gone.message, /^delete topic failed\. statusCode: 404 error code: TOPIC_NOT_FOUND message: ./);
  });

  test(`the same in the callback style: a topic of ${what}`, async () => {
    const topic = topicWithName(unique("topic"));
    assert.deepEqual(await succeeds((cb) => topic.exists(cb)), [false]);
    assert.equal((await succeeds((cb) => topic.save(cb)))[0], topic);
    assert.deepEqual(await succeeds((cb) => topic.exists(cb)), [true]);
    const { failure, error } = await fails((cb) => topic.save(cb));
    assert.equal(failure[0], error);
    assert.equal((await succeeds((cb) => topic.deleteTopic(cb)))[0], topic);
    await fails((cb) => topic.deleteTopic(cb));
  });
}

test("the requests are Kii's", async () => {
  const topic = person.user.topicWithName(unique("topic"));
  const sent = await wire.during(async () => {
    await topic.save();
    await topic.exists();
    await topic.deleteTopic();
  });
  const path = `/api/apps/demo/users/${person.user.getID()}/topics/${topic.getName()}`;
  assert.deepEqual(sent.map(({ method, path, status }) => [method, path, status]), [
    ["PUT", path, 204],
    ["HEAD", path, 204],
    ["DELETE", path, 204],
  ]);
});

for (const [what, owner] of [
  ["a user", async () => newPerson(wire.site).then(({ user }) => scope("", user))],
  ["a thing", async () => newDevice(wire.site).then(({ thing }) => scope("", thing))],
] as const) {
  test(`listTopics gives the topics of ${what} page by page`, async () => {
    const { listTopics, topicWithName } = await owner();
    const none = await listTopics();
    assert.deepEqual([none[0], none[1]], [[], null]);
    const names = Array.from({ length: 120 }, () => unique("topic"));
    for (const name of names) await topicWithName(name).save();

    const listed: string[] = [];
    let pages = 0;
    let key: string | undefined;
    do {
      // Promise style and callback style in turn; the SDK gives the key that is none as null.
      const page = pages % 2 === 0 ? await listTopics(undefined, key) : await succeeds((cb) => listTopics(cb, key));
      listed.push(...(page[0] as KiiCloud.KiiTopic[]).map((topic) => topic.getName()));
      key = page[1] ?? undefined;
      pages++;
    } while (key !== undefined);
    assert.ok(pages > 1, `${pages} pages`);
    assert.deepEqual(listed.sort(), names.sort());
  });
}

test("everybody lists the app's topics", async () => {
  const names = [unique("topic"), unique("topic")];
  for (const name of names) await admin.context.topicWithName(name).save();
  const user = await newPerson(wire.site);
  for (const list of [
    (cb?: SdkCallbacks, key?: string) => user.sdk.Kii.listTopics(cb, key),
    (cb?: SdkCallbacks, key?: string) => device.context.listTopics(cb, key),
    (cb?: SdkCallbacks, key?: string) => admin.context.listTopics(cb, key),
  ]) {
    const listed = new Set<string>();
    let key: string | undefined;
    do {
      const page = await list(undefined, key);
      const again = await succeeds((cb) => list(cb, key));
      assert.deepEqual(again[0].length, page[0].length);
      for (const topic of page[0] as KiiCloud.KiiTopic[]) listed.add(topic.getName());
      key = page[1] ?? undefined;
    } while (key !== undefined);
    for (const name of names) assert.ok(listed.has(name), name);
  }
});

test("only administrators make and delete the app's topics, everybody sees them", async () => {
  const name = unique("topic");
  const { user, sdk } = await newPerson(wire.site);
  for (const topic of [sdk.Kii.topicWithName(name), device.context.topicWithName(name)]) {
    assert.match((await rejects(topic.save())).message, /^save topic failed\. statusCode: 401 error code: UNAUTHORIZED message: ./);
  }
  await admin.context.topicWithName(name).save();
  for (const topic of [sdk.Kii.topicWithName(name), device.context.topicWithName(name)]) {
    assert.equal(await topic.exists(), true);
    assert.match((await rejects(topic.deleteTopic())).message, /^delete topic failed\. statusCode: 401 error code: UNAUTHORIZED message: ./);
  }
  assert.ok(user.getID());
});

test("a stranger has nothing to do with a user's topics", async () => {
  const stranger = (await newPerson(wire.site)).sdk;
  const topic = person.user.topicWithName(unique("topic"));
  await topic.save();
  const theirs = stranger.KiiUser.userWithID(person.user.getID());
  const seen = theirs.topicWithName(topic.getName());
  for (const [action, call] of [
    ["save topic", () => seen.save()],
    ["delete topic", () => seen.deleteTopic()],
    ["list topics", () => theirs.listTopics()],
    // A response to HEAD has no body, so there is no code.
    ["check topic", () => seen.exists()],
  ] as const) {
    const error = await rejects(call());
    assert.ok(error.message.startsWith(`${action} failed. statusCode: 401`), error.message);
  }
  assert.equal(await topic.exists(), true);
});

test("names that are none: the SDK throws, or the cloud refuses", async () => {
  const { Kii, KiiUser } = newSdk(wire.site);
  assert.throws(() => Kii.topicWithName(""));
  assert.throws(() => person.user.topicWithName(undefined as never));
  assert.throws(() => KiiUser.userWithID(""));
  for (const name of ["a b", "a.b.c!", "日本", "x".repeat(65)]) {
    const error = await rejects(person.user.topicWithName(encodeURIComponent(name)).save());
    assert.match(error.message, /^save topic failed\. statusCode: 400 error code: INVALID_INPUT_DATA message: ./, name);
  }
});
