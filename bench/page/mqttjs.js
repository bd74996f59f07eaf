// MQTT.js, https://github.com/mqttjs/MQTT.js

import mqtt from "mqtt";
import { page } from "./_harness.js";

page(async ({ url, id, topic, qos, protocol, username, password, onMessage }) => {
  const client = await mqtt.connectAsync(url, {
    clientId: id,
    protocolVersion: protocol || 4,
    clean: true,
    reconnectPeriod: 0,
    ...(username && { username, password }),
  });
  client.on("message", onMessage);
  await client.subscribeAsync(topic, { qos });
  return {
    // MQTT.js takes bytes as a Buffer, which is what its own Uint8Array is to it.
    publish: (topic, bytes, qos) => client.publishAsync(topic, bytes, { qos }),
    close: () => client.endAsync(),
  };
});
