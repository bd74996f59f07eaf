// Endpoints that are prepared in the background: the SDK asks three times, a second apart.

import { strict as assert } from "node:assert";
import { test } from "node:test";
import { fails, rejects } from "../lib/callbacks.js";
import { clouds } from "../lib/cloud.js";
import { newPerson, newSdk, password, wireFor } from "../lib/people.js";
import { unique } from "../lib/cloud.js";

const late = await wireFor(clouds.late);
const never = await wireFor(clouds.never);

test("an endpoint that gets ready while the SDK asks is given", async () => {
  const { user } = await newPerson(late.site);
  const push = user.pushInstallation();
  const { installationID } = await push.installMqtt(false);
  let endpoint: KiiCloud.KiiMqttEndpoint | undefined;
  const asked = await late.during(async () => (endpoint = await push.getMqttEndpoint(installationID)));
  assert.ok(endpoint?.mqttTopic);
  const statuses = asked.map((exchange) => exchange.status);
  assert.equal(statuses.pop(), 200);
  assert.ok(statuses.every((status) => status === 503) && statuses.length <= 2, String(statuses));
});

test("an endpoint that does not get ready is asked for three times", async () => {
  const { user } = await newPerson(never.site);
  const push = user.pushInstallation();
  const { installationID } = await push.installMqtt(false);
  let error: SdkError | undefined;
  const asked = await never.during(async () => (error = await rejects(push.getMqttEndpoint(installationID))));
  assert.deepEqual(asked.map((exchange) => exchange.status), [503, 503, 503]);
  assert.match(error?.message ?? "", /^get mqtt endpoint failed\. statusCode: 503 error code: MQTT_ENDPOINT_NOT_READY message: ./);
  assert.equal(error?.target, push);
  for (const { responseHeaders, responseBody } of asked) {
    const body = JSON.parse(responseBody);
    assert.equal(responseHeaders["retry-after"], String(body.retryAfter));
    assert.ok(body.retryAfter > 0);
  }
});

test("the same in the callback style", async () => {
  const sdk = newSdk(never.site);
  const user = await sdk.KiiUser.userWithUsername(unique("user"), password).register();
  const push = user.pushInstallation();
  const { installationID } = await push.installMqtt(false);
  const { failure, error } = await fails((cb) => push.getMqttEndpoint(installationID, cb));
  assert.equal(failure[0], error);
  assert.equal(sdk.KiiErrorParser.parse(error)?.code, "MQTT_ENDPOINT_NOT_READY");
  await push.uninstallByInstallationID(installationID);
});
