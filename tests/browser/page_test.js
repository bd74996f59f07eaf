// What a test finds in a page: the library as lib, a client as kii, journey() to connect,
// got with the messages and states with the changes that came. hostOption is load's option host.
(async () => {
  const config = await (await fetch("/demo.json")).json();
  globalThis.lib = await import("/kiiweb/kiiweb.mjs");
  globalThis.options = { appID: config.appID, appKey: config.appKey, baseURL: new URL(config.baseURL, location.origin).href, host: hostOption };
  globalThis.kii = await lib.load(options);
  globalThis.got = [];
  globalThis.states = [];

  globalThis.attach = (connection) => {
    globalThis.connection = connection;
    connection.on("message", (m) => got.push(m.json()));
    connection.on("state", (s) => {
      states.push({ state: s.state, code: s.code, reason: s.reason, retryIn: s.retryIn, reasonCode: s.reasonCode });
    });
    return connection;
  };
  globalThis.journey = async (connectOptions) => {
    globalThis.installation = await kii.installMqtt(false);
    globalThis.endpoint = await kii.getMqttEndpoint(installation.installationID);
    attach(await kii.connect(endpoint, connectOptions));
  };
  globalThis.until = async (condition) => {
    while (!condition()) await new Promise((resolve) => setTimeout(resolve, 10));
  };
  globalThis.describe = (e) => ({
    isKiiError: e instanceof lib.KiiError, name: e.name, code: e.code, message: e.message, remedy: e.remedy, why: e.why,
    status: e.status, kiiCode: e.kiiCode, kiiMessage: e.kiiMessage, reasonCode: e.reasonCode, retryable: e.retryable,
  });
})()
