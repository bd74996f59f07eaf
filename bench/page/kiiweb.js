// kiiweb as it is built and shipped: the loader and the module of js/dist.

import { page } from "./_harness.js";
import { load } from "../kiiweb/kiiweb.mjs";

/** The page's one client: an application has one for all its connections. */
let client;

page(async ({ host, port, path, id, qos, protocol, where, username, password, onMessage }) => {
  client ??= load({ appID: "bench", appKey: "bench-key", baseURL: "http://127.0.0.1:9/api", host: where });
  const kii = await client;
  const endpoint = {
    installationID: "bench",
    username: username ?? "bench",
    password: password ?? "bench",
    mqttTopic: id,
    host,
    portWS: port,
  };
  const connection = await kii.connect(endpoint, { transport: "ws", path, qos, cleanStart: true, ...(protocol && { protocol }) });
  connection.on("message", (m) => onMessage(m.topic, m.bytes));
  connection.on("state", ({ state, reason }) => {
    if (state !== "online" && state !== "closed") throw new Error(`kiiweb is ${state}: ${reason}`);
  });
  return {
    publish: (topic, bytes, qos) => connection.publish(topic, bytes, { qos }),
    close: () => connection.close(),
    dropped: () => connection.dropped,
  };
});
