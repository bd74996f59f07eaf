// MQTT.js with the endpoint that the SDK got: every version over every transport.

import { strict as assert } from "node:assert";
import { test } from "node:test";
import { unique } from "../lib/cloud.js";
import { newPerson, wireFor } from "../lib/people.js";
import { withMqttJs, type Transport, type Version } from "../lib/receivers.js";
import { pushDirectly } from "../lib/rest.js";

const wire = await wireFor();

const cases: [Transport, Version, 0 | 1][] = [
  ["ws", 5, 1],
  ["ws", 4, 0],
  ["ws", 3, 0],
  ["wss", 5, 0],
  ["wss", 4, 1],
  ["tcp", 5, 1],
  ["tcp", 4, 1],
  ["tls", 4, 0],
];

for (const [transport, version, qos] of cases) {
  test(`pushes to a user arrive over ${transport}, MQTT ${{ 3: "3.1", 4: "3.1.1", 5: "5" }[version]}, QoS ${qos}`, async () => {
    const { sdk, user } = await newPerson(wire.site);
    const push = user.pushInstallation();
    const installed = await push.installMqtt(false);
    const endpoint = await push.getMqttEndpoint(installed.installationID);
    const receiver = await withMqttJs(endpoint, transport, version, qos);
    const texts = [unique("first"), unique("50% of the second"), unique("日本語")];
    for (const text of texts) {
      await pushDirectly(user.getAccessToken(), "/users/me", new sdk.KiiPushMessageBuilder({ text }).build());
    }
    for (const text of texts) assert.equal((await receiver.next()).text, text);
    await receiver.close();
  });
}

test("after uninstall the connection ends, and nothing arrives any more", async () => {
  const { sdk, user } = await newPerson(wire.site);
  const push = user.pushInstallation();
  for (const uninstall of [
    (i: KiiCloud.KiiMqttInstallationResponse) => push.uninstall(i.installationRegistrationID, "MQTT"),
    (i: KiiCloud.KiiMqttInstallationResponse) => push.uninstallByInstallationID(i.installationID),
  ]) {
    const installed = await push.installMqtt(false);
    const endpoint = await push.getMqttEndpoint(installed.installationID);
    for (const version of [5, 4] as const) {
      const receiver = await withMqttJs(endpoint, "ws", version, 1);
      await pushDirectly(user.getAccessToken(), "/users/me", new sdk.KiiPushMessageBuilder({ n: 1 }).build());
      await receiver.next();
      if (version === 5) {
        await receiver.close();
        continue;
      }
      await uninstall(installed);
      await receiver.ended;
      await pushDirectly(user.getAccessToken(), "/users/me", new sdk.KiiPushMessageBuilder({ n: 2 }).build());
      assert.equal(receiver.messages.length, 1);
    }
    await assert.rejects(withMqttJs(endpoint, "ws", 5), "the endpoint is of no use any more");
    await assert.rejects(withMqttJs(endpoint, "tcp", 4));
  }
});

test("a push that was sent while nobody was connected waits", async () => {
  const { sdk, user } = await newPerson(wire.site);
  const push = user.pushInstallation();
  const { installationID } = await push.installMqtt(false);
  for (const n of [1, 2, 3]) {
    await pushDirectly(user.getAccessToken(), "/users/me", new sdk.KiiPushMessageBuilder({ n }).build());
  }
  const receiver = await withMqttJs(await push.getMqttEndpoint(installationID), "ws", 4, 1);
  for (const n of [1, 2, 3]) assert.equal((await receiver.next()).n, n);
  await receiver.close();
});

test("a second connection of one user ends the first", async () => {
  const { sdk, user } = await newPerson(wire.site);
  const push = user.pushInstallation();
  const { installationID } = await push.installMqtt(false);
  const first = await withMqttJs(await push.getMqttEndpoint(installationID), "ws", 4);
  const second = await withMqttJs(await push.getMqttEndpoint(installationID), "tcp", 5);
  await first.ended;
  await pushDirectly(user.getAccessToken(), "/users/me", new sdk.KiiPushMessageBuilder({ n: 1 }).build());
  assert.equal((await second.next()).n, 1);
  assert.equal(first.messages.length, 0);
  await second.close();
});

test("a wrong password is refused", async () => {
  const { user } = await newPerson(wire.site);
  const push = user.pushInstallation();
  const { installationID } = await push.installMqtt(false);
  const endpoint = await push.getMqttEndpoint(installationID);
  await assert.rejects(withMqttJs({ ...endpoint, password: "wrong" }, "ws", 5), /not authorized|bad user|Connection refused/i);
  await assert.rejects(withMqttJs({ ...endpoint, password: "wrong" }, "tcp", 4), /Connection refused/);
});
