// MQTT.js with the reconnecting that it does when nothing else is said.

import mqtt from "mqtt";

globalThis.fight = ({ endpoint, port, version }) => {
  const got = [];
  const client = mqtt.connect(`ws://localhost:${port}/mqtt`, {
    clientId: endpoint.mqttTopic,
    username: endpoint.username,
    password: endpoint.password,
    protocolVersion: version,
    clean: false,
    ...(version === 5 && { properties: { sessionExpiryInterval: 3600 } }),
  });
  client.on("connect", () => client.subscribe(endpoint.mqttTopic, { qos: 1 }));
  client.on("message", (_topic, payload) => got.push(JSON.parse(new TextDecoder().decode(payload)).text));
  client.on("error", () => {});
  globalThis.fighter = { got, state: () => (client.connected ? "connected" : "reconnecting") };
};
