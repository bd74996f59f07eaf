// What the SDK does that no server expects, and that the cloud has to survive.

import { strict as assert } from "node:assert";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { calledBack, fails, rejects } from "../lib/callbacks.js";
import { clouds, unique, until } from "../lib/cloud.js";
import { newAdmin, newDevice, newPerson, newSdk, password, wireFor } from "../lib/people.js";
import type { Exchange } from "../lib/wire.js";

const wire = await wireFor();

/** Runs a call and gives the one exchange that it leads to, which may come after its end. */
async function exchangeOf(call: () => Promise<unknown>): Promise<Exchange> {
  const from = wire.log.length;
  await call();
  await until("the request", () => wire.log.length > from);
  return wire.log[from]!;
}

test("the scheme of the token is bearer in one half of the SDK and Bearer in the other", async () => {
  const { user } = await newPerson(wire.site);
  const lower = await exchangeOf(() => user.pushInstallation().installMqtt(false));
  const upper = await exchangeOf(() => user.refresh());
  const token = user.getAccessToken();
  assert.deepEqual([lower.headers["authorization"], upper.headers["authorization"]], [`bearer ${token}`, `Bearer ${token}`]);
  assert.deepEqual([lower.status, upper.status], [201, 200]);
});

test("every request has disable_cache, Kii's headers, and no trailing rest", async () => {
  const { user } = await newPerson(wire.site);
  await user.listTopics(undefined, "eA"); // "x": behind a query there is an ampersand
  const last = wire.log.at(-1)!;
  assert.match(last.url, /\?paginationKey=eA&disable_cache=\d+$/);
  assert.equal(last.status, 200);
  for (const { url, headers } of wire.log) {
    assert.match(url, /[?&]disable_cache=\d+$/);
    assert.equal(headers["x-kii-appid"], clouds.main.appID);
    assert.equal(headers["x-kii-appkey"], clouds.main.appKey);
    assert.equal(headers["x-kii-sdk"], "sn=jss;sv=2.4.19");
  }
});

test("headers that the app adds arrive and are let be", async () => {
  const { Kii, KiiUser } = newSdk(wire.site);
  Kii.setAdditionalHeaders({ "x-own": "1" });
  const user = await KiiUser.userWithUsername(unique("user"), password).register();
  const exchange = await exchangeOf(() => user.pushInstallation().installMqtt(false));
  assert.equal(exchange.headers["x-own"], "1");
});

const argument = {
  development: "type of development must be boolean.",
  installationID: "installationID must not be null or empty.",
  registrationID: "installationRegistrationID must not be null or empty.",
};

/** Rejected arguments, and the request that is sent all the same. */
const rejected: [string, (p: KiiCloud.KiiPushInstallation, cb?: SdkCallbacks) => Promise<unknown>, string, string, number][] = [
  ["installMqtt of a string", (p, cb) => p.installMqtt("true" as never, cb), argument.development, "POST /installations", 201],
  ["installMqtt of a number", (p, cb) => p.installMqtt(1 as never, cb), argument.development, "POST /installations", 400],
  ["getMqttEndpoint of nothing", (p, cb) => p.getMqttEndpoint("", cb), argument.installationID, "GET /installations//mqtt-endpoint", 404],
  ["getMqttEndpoint of null", (p, cb) => p.getMqttEndpoint(null as never, cb), argument.installationID, "GET /installations/null/mqtt-endpoint", 404],
  ["uninstallByInstallationID of nothing", (p, cb) => p.uninstallByInstallationID("", cb), argument.installationID, "DELETE /installations/", 405],
  ["uninstallByInstallationID of undefined", (p, cb) => p.uninstallByInstallationID(undefined as never, cb), argument.installationID, "DELETE /installations/undefined", 404],
  ["uninstall of nothing", (p, cb) => p.uninstall("", "MQTT", cb), argument.registrationID, "DELETE /installations/MQTT:", 404],
  ["uninstall of an unknown kind", (p, cb) => p.uninstall("x", "FOO", cb), "Unsupported deviceType FOO", "DELETE /installations/FOO:x", 404],
];

for (const [name, call, message, request, status] of rejected) {
  test(`rejected, and sent all the same: ${name}`, async () => {
    const { user } = await newPerson(wire.site);
    const push = user.pushInstallation();
    const installed = await push.installMqtt(false);
    const exchange = await exchangeOf(async () => {
      const error = await rejects(call(push));
      assert.equal(error.message, message);
      assert.equal(error.target, push);
    });
    assert.equal(`${exchange.method} ${exchange.path.replace("/api/apps/demo", "")}`, request);
    assert.equal(exchange.status, status);

    // With callbacks, the second one is the answer to the request.
    const outcome = await calledBack((cb) => call(push, cb));
    assert.equal(outcome.failure?.[0].message, message);
    await until("the second callback", () => outcome.times === 2);
    assert.deepEqual(await push.installMqtt(false), installed, "the user's own installation is untouched");
  });
}

test("ids that are no part of a path end as an error, and harm nothing", async () => {
  const { user, sdk } = await newPerson(wire.site);
  const push = user.pushInstallation();
  const installed = await push.installMqtt(false);
  const strange = ["50%", "%", "%zz", "%2F", "%00", "a/b", "/", "//", "a#b", "#", "a?b=c", "?", "..", "../users/me", ".", "a b", "MQTT:", "%25", "+", "'\"", "\\"];
  for (const id of strange) {
    for (const call of [() => push.getMqttEndpoint(id), () => push.uninstallByInstallationID(id), () => push.uninstall(id, "MQTT")]) {
      const error = await rejects(call());
      assert.match(error.message, /^(get mqtt endpoint|uninstall push) failed\. statusCode: 4\d\d/, id);
      assert.equal(error.target, push);
    }
  }
  assert.deepEqual(await push.installMqtt(false), installed);

  const { context } = await newAdmin(wire.site);
  for (const id of strange.filter((id) => !["..", "../users/me", ".", "?", "#", "/", "//"].includes(id))) {
    await rejects(sdk.KiiThing.loadWithVendorThingID(id));
    await rejects(context.loadThingWithThingID(id));
    // findUserBy… throws, beside rejecting, where the answer is no JSON: in an event, where nobody
    // can catch it. A broken escape is answered in plain text, before a server's program sees it.
    if (!/%(?![0-9a-f]{2})/i.test(id)) await rejects(context.findUserByUsername(id));
  }
});

test("strange names of topics are refused or not found, in whatever way they are sent", async () => {
  const { user } = await newPerson(wire.site);
  for (const name of ["50%", "a/b", "/", ".", "..", "../..", "%2F", "%25", " "]) {
    const topic = user.topicWithName(name);
    await rejects(topic.deleteTopic()).then((error) => assert.match(error.message, /^delete topic failed\. statusCode: 4\d\d/, name));
    await rejects(user.pushSubscription().subscribe(topic)).then((error) => assert.match(error.message, /^subscribe failed\. statusCode: 4\d\d/, name));
  }
  await user.refresh(); // who is still there: ".." is not the parent
});

test("what follows a '#' or '?' in a topic's name the SDK does not send: subscribing becomes creating", async () => {
  // No server can tell this apart from what it looks like: PUT …/topics/a is "create a".
  const { user } = await newPerson(wire.site);
  for (const [name, cut] of [["a#b", "a"], ["c?d", "c"]] as const) {
    await user.pushSubscription().subscribe(user.topicWithName(name));
    const plain = user.topicWithName(cut);
    assert.equal(await plain.exists(), true);
    assert.equal((await user.pushSubscription().isSubscribed(plain))[2], false);
  }
});

test("without a network the status is 0", async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve)); // from now on nobody listens there
  const { KiiUser, KiiPushInstallation, KiiTopic, KiiErrorParser, Kii } = newSdk(`http://127.0.0.1:${port}/api`);
  const push = new KiiPushInstallation();
  const cases: [string, (cb?: SdkCallbacks) => Promise<unknown>][] = [
    ["install push failed. statusCode: 0", (cb) => push.installMqtt(true, cb)],
    ["get mqtt endpoint failed. statusCode: 0", (cb) => push.getMqttEndpoint("x", cb)],
    ["uninstall push failed. statusCode: 0", (cb) => push.uninstall("x", "MQTT", cb)],
    ["uninstall push failed. statusCode: 0", (cb) => push.uninstallByInstallationID("x", cb)],
    ["save topic failed. statusCode: 0", (cb) => Kii.topicWithName("t").save(cb)],
    ["send messages failed. statusCode: 0", (cb) => Kii.topicWithName("t").sendMessage({}, cb)],
    [`0 : http://127.0.0.1:${port}/api/oauth2/token`, (cb) => KiiUser.authenticate("ann", password, cb)],
  ];
  for (const [message, call] of cases) {
    const error = await rejects(call());
    assert.equal(error.message, message);
    assert.deepEqual(KiiErrorParser.parse(error), { status: 0, code: null, message: "Network Error" });
    assert.equal((await fails((cb) => call(cb))).error.message, message);
  }
  assert.ok(KiiTopic);
});

test("a thing that has no password to change says so without asking", async () => {
  const { sdk, thing } = await newDevice(wire.site);
  const plain = sdk.KiiThing.thingWithID(thing.getThingID());
  const sent = await wire.during(async () => {
    assert.equal((await rejects(plain.updatePassword("x"))).message, "updatePassword can be used only by app admin.");
    await fails((cb) => plain.updatePassword("x", cb));
  });
  assert.equal(sent.length, 0);
});
