// Paho JS with the endpoint that the SDK got. It speaks 3.1.1 and 3.1, over WebSocket.

import { strict as assert } from "node:assert";
import { test } from "node:test";
import { unique } from "../lib/cloud.js";
import { newPerson, wireFor } from "../lib/people.js";
import { withPaho } from "../lib/receivers.js";
import { pushDirectly } from "../lib/rest.js";

const wire = await wireFor();

const cases: [string, "ws" | "wss", 3 | 4 | undefined][] = [
  ["3.1.1 over ws", "ws", 4],
  ["3.1 over ws", "ws", 3],
  ["what it tries first, over ws", "ws", undefined],
  ["3.1.1 over wss", "wss", 4],
  ["3.1 over wss", "wss", 3],
];

for (const [name, transport, version] of cases) {
  test(`pushes arrive and end with the installation: ${name}`, async () => {
    const { sdk, user } = await newPerson(wire.site);
    const push = user.pushInstallation();
    const installed = await push.installMqtt(false);
    const endpoint = await push.getMqttEndpoint(installed.installationID);
    const receiver = await withPaho(endpoint, transport, version);
    const texts = [unique("first"), unique("100%"), unique("日本語")];
    for (const text of texts) {
      await pushDirectly(user.getAccessToken(), "/users/me", new sdk.KiiPushMessageBuilder({ text }).build());
    }
    for (const text of texts) assert.equal((await receiver.next()).text, text);

    await push.uninstall(installed.installationRegistrationID, "MQTT");
    await receiver.ended;
    await pushDirectly(user.getAccessToken(), "/users/me", new sdk.KiiPushMessageBuilder({ text: "late" }).build());
    await assert.rejects(withPaho(endpoint, transport, version));
    assert.equal(receiver.messages.length, texts.length);
  });
}
