// What a test finds in a page: journey() to log in, install and connect, got with the pushes and states with
// the changes that came, each with the time at which.
const config = await (await fetch("/demo.json")).json();
const lib = await import("/kiiweb/kiiweb.mjs");
const kii = await lib.load({ appID: config.appID, appKey: config.appKey, baseURL: new URL(config.baseURL, location.origin).href });
globalThis.got = [];
globalThis.states = [];
globalThis.until = async (condition) => {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 10));
};
globalThis.journey = async (name, password) => {
  await kii.login(name, password);
  const { installationID } = await kii.installMqtt(false);
  const endpoint = await kii.getMqttEndpoint(installationID);
  const connection = await kii.connect(endpoint, { protocol: 5, timeout: 120000 });
  connection.on("message", (m) => {
    const id = m.properties?.userProperties?.find(([name]) => name === "pushMessageID")?.[1];
    got.push({ n: m.json().n, id, at: Date.now() });
  });
  connection.on("state", ({ state, code }) => states.push({ state, code, at: Date.now() }));
  globalThis.connection = connection;
};
