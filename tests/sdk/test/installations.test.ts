// KiiPushInstallation: install, endpoint, uninstall.

import { strict as assert } from "node:assert";
import { test } from "node:test";
import { fails, rejects, succeeds } from "../lib/callbacks.js";
import { clouds } from "../lib/cloud.js";
import { newPerson, newSdk, wireFor } from "../lib/people.js";

const wire = await wireFor();

test("installMqtt gives the two ids, and the same again", async () => {
  const { user } = await newPerson(wire.site);
  const push = user.pushInstallation();
  const first = await push.installMqtt(false);
  assert.ok(first.installationID);
  assert.ok(first.installationRegistrationID);
  assert.deepEqual(await push.installMqtt(false), first);
  assert.deepEqual(await push.installMqtt(true), first, "another environment keeps the ids");
  const [again] = await succeeds((cb) => push.installMqtt(false, cb));
  assert.deepEqual(again, first);
});

test("installMqtt sends what Kii asks for", async () => {
  const { user } = await newPerson(wire.site);
  const [sent] = await wire.during(() => user.pushInstallation().installMqtt(true));
  assert.equal(sent?.method, "POST");
  assert.equal(sent?.path, `/api/apps/${clouds.main.appID}/installations`);
  assert.equal(sent?.headers["content-type"], "application/vnd.kii.InstallationCreationRequest+json");
  assert.deepEqual(JSON.parse(sent?.body ?? ""), { deviceType: "MQTT", development: true });
  assert.equal(sent?.status, 201);
  assert.match(String(sent?.responseHeaders["content-type"]), /^application\/vnd\.kii\.InstallationCreationResponse\+json/);
  const { installationID } = JSON.parse(sent?.responseBody ?? "");
  assert.ok(sent?.responseHeaders.location?.endsWith(`/installations/${installationID}`));
});

test("getMqttEndpoint gives all that a client needs", async () => {
  const { user } = await newPerson(wire.site);
  const push = user.pushInstallation();
  const { installationID } = await push.installMqtt(false);
  const [exchange] = await wire.during(() => push.getMqttEndpoint(installationID));
  const endpoint = JSON.parse(exchange?.responseBody ?? "") as KiiCloud.KiiMqttEndpoint;
  assert.equal(exchange?.responseHeaders["x-mqtt-ttl"], String(endpoint["X-MQTT-TTL"]));
  assert.equal(endpoint.installationID, installationID);
  for (const key of ["username", "password", "mqttTopic", "host"] as const) assert.ok(endpoint[key], key);
  for (const key of ["portTCP", "portSSL", "portWS", "portWSS", "X-MQTT-TTL"] as const) assert.ok(endpoint[key] > 0, key);

  const [again] = await succeeds((cb) => push.getMqttEndpoint(installationID, cb));
  assert.equal(again.mqttTopic, endpoint.mqttTopic, "a renewed endpoint has the same topic");
});

test("uninstall by the registration id ends the installation", async () => {
  const { user } = await newPerson(wire.site);
  const push = user.pushInstallation();
  const first = await push.installMqtt(false);
  assert.equal(await push.uninstall(first.installationRegistrationID, "MQTT"), undefined);
  const error = await rejects(push.getMqttEndpoint(first.installationID));
  assert.match(error.message, /^get mqtt endpoint failed\. statusCode: 404 error code: INSTALLATION_NOT_FOUND message: ./);
  assert.equal(error.target, push);

  const second = await push.installMqtt(false);
  assert.notEqual(second.installationID, first.installationID);
  const args = await succeeds((cb) => push.uninstall(second.installationRegistrationID, "MQTT", cb));
  assert.deepEqual(args, []);
});

test("uninstallByInstallationID ends the installation", async () => {
  const { user } = await newPerson(wire.site);
  const push = user.pushInstallation();
  const first = await push.installMqtt(false);
  assert.equal(await push.uninstallByInstallationID(first.installationID), undefined);
  const { failure, error } = await fails((cb) => push.uninstallByInstallationID(first.installationID, cb));
  assert.equal(failure[0], error);
  assert.match(error.message, /^uninstall push failed\. statusCode: 404 error code: INSTALLATION_NOT_FOUND message: ./);
  assert.equal(error.target, push);
  const second = await push.installMqtt(false);
  await succeeds((cb) => push.uninstallByInstallationID(second.installationID, cb));
});

test("somebody else's installation is out of reach", async () => {
  const { user: ann } = await newPerson(wire.site);
  const { user: bob, sdk } = await newPerson(wire.site);
  const hers = await ann.pushInstallation().installMqtt(false);
  const push = bob.pushInstallation();
  for (const [action, call] of [
    ["get mqtt endpoint", () => push.getMqttEndpoint(hers.installationID)],
    ["uninstall push", () => push.uninstallByInstallationID(hers.installationID)],
    ["uninstall push", () => push.uninstall(hers.installationRegistrationID, "MQTT")],
  ] as const) {
    const error = await rejects(call());
    assert.ok(error.message.startsWith(`${action} failed. statusCode: 401 error code: UNAUTHORIZED message: `), error.message);
    assert.equal(sdk.KiiErrorParser.parse(error)?.code, "UNAUTHORIZED");
  }
  await ann.pushInstallation().getMqttEndpoint(hers.installationID);
});

test("without a login the SDK asks all the same, and is told 401", async () => {
  const { KiiPushInstallation } = newSdk(wire.site);
  const push = new KiiPushInstallation();
  let error: SdkError | undefined;
  const [sent] = await wire.during(async () => (error = await rejects(push.installMqtt(false))));
  assert.equal(sent?.headers["authorization"], undefined);
  assert.match(error?.message ?? "", /^install push failed\. statusCode: 401 error code: UNAUTHORIZED message: ./);
  assert.equal(error?.target, push);
  assert.match((await rejects(push.getMqttEndpoint("x"))).message, /^get mqtt endpoint failed\. statusCode: 401 /);
  assert.match((await rejects(push.uninstall("x", "MQTT"))).message, /^uninstall push failed\. statusCode: 401 /);
});

test("installGcm and installApns are for devices that this cloud does not push to", async () => {
  const { user } = await newPerson(wire.site);
  const push = user.pushInstallation();
  for (const call of [
    (cb?: SdkCallbacks) => push.installGcm("registration", false, cb),
    (cb?: SdkCallbacks) => push.installApns("token", false, cb),
  ]) {
    const error = await rejects(call());
    assert.equal((await fails((cb) => call(cb))).error.message, error.message);
    assert.match(error.message, /^install push failed\. statusCode: 400 error code: INVALID_INPUT_DATA message: ./);
  }
});

test("over https the SDK does the same", async () => {
  const { https, appID, appKey } = clouds.main;
  const sdk = newSdk(wire.site);
  sdk.Kii.initializeWithSite(appID, appKey, `${https.replace("127.0.0.1", "localhost")}/api`);
  const user = await sdk.KiiUser.registerAsPseudoUser();
  const { installationID } = await user.pushInstallation().installMqtt(false);
  const endpoint = await user.pushInstallation().getMqttEndpoint(installationID);
  assert.ok(endpoint.mqttTopic);
});
