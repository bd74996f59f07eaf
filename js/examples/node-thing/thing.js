// A thing in Node.js: it registers, or logs in, installs itself for push, and gives the
// endpoint to MQTT.js. Standard output has one line per push.
//
//   KII_URL, KII_CA       the cloud, and a certificate to trust besides the usual ones
//   THING_ID, THING_PASSWORD

import { readFile } from "node:fs/promises";
import mqtt from "mqtt";

const { KII_URL = "http://localhost:8080/api", KII_CA, THING_ID = "node-thing-1", THING_PASSWORD = "the password of a demo thing" } = process.env;
const app = { id: "demo", key: "demo-key" };

/** Calls the REST API; the answer is [status, body]. */
async function call(method, path, { token, type = "application/json", body } = {}) {
  const headers = { "X-Kii-AppID": app.id, "X-Kii-AppKey": app.key };
  if (body) headers["Content-Type"] = type;
  if (token) headers.Authorization = `Bearer ${token}`;
  const answer = await fetch(KII_URL + path, { method, headers, body: body && JSON.stringify(body), signal: AbortSignal.timeout(30_000) });
  return [answer.status, await answer.json()];
}

function expect(want, [status, body]) {
  if (status !== want) throw new Error(`The cloud answered ${status} ${body.errorCode}: ${body.message ?? body.error_description}`);
  return body;
}

async function token() {
  const type = "application/vnd.kii.ThingRegistrationAndAuthorizationRequest+json";
  const registered = await call("POST", `/apps/${app.id}/things`, { type, body: { _vendorThingID: THING_ID, _password: THING_PASSWORD } });
  if (registered[0] === 201) return registered[1]._accessToken;
  const login = { username: `VENDOR_THING_ID:${THING_ID}`, password: THING_PASSWORD };
  return expect(200, await call("POST", "/oauth2/token", { body: login })).access_token;
}

/** Installs, and asks for the endpoint until the cloud has prepared it. */
async function endpoint(token) {
  const type = "application/vnd.kii.InstallationCreationRequest+json";
  const install = await call("POST", `/apps/${app.id}/installations`, { token, type, body: { deviceType: "MQTT", development: false } });
  const { installationID } = expect(201, install);
  for (let tries = 1; ; tries++) {
    const answer = await call("GET", `/apps/${app.id}/installations/${installationID}/mqtt-endpoint`, { token });
    if (answer[0] !== 503 || tries === 3) return expect(200, answer);
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}

const { host, portSSL, username, password, mqttTopic } = await endpoint(await token());
const client = mqtt.connect({
  protocol: "mqtts", host, port: portSSL, username, password, clientId: mqttTopic,
  protocolVersion: 5, clean: false, properties: { sessionExpiryInterval: 3600 },
  ca: KII_CA && (await readFile(KII_CA)),
});
client.on("connect", () => client.subscribe(mqttTopic, { qos: 1 }, (error) => console.error(error ?? `online as ${THING_ID}`)));
client.on("message", (topic, payload) => {
  if (topic === mqttTopic) console.log(payload.toString());
});
client.on("error", (error) => {
  console.error(error.message); // such as a password that is good no more: a new start fetches another endpoint
  client.end(true, () => process.exit(1));
});
// Another connection with the same id has taken over: to connect again would only fight it.
client.on("disconnect", ({ reasonCode }) => reasonCode === 0x8e && client.end(true, () => process.exit(1)));
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => client.end(false, () => process.exit(0)));
