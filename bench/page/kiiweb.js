// kiiweb as it is built and shipped: the loader and the module of js/dist.

import { page } from "./_harness.js";
import { load } from "../kiiweb/kiiweb.mjs";

// The module's memory, which nothing else tells of.
let memory;
const instantiate = WebAssembly.instantiate;
WebAssembly.instantiate = async (...args) => {
  const result = await instantiate(...args);
  memory = (result.instance ?? result).exports.mem;
  return result;
};

page(async ({ host, port, path, id, qos, protocol, where, username, password, onMessage }) => {
  const kii = await load({ appID: "bench", appKey: "bench-key", baseURL: "http://127.0.0.1:9/api", host: where });
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
    wasm: () => memory?.buffer.byteLength ?? 0,
  };
});
