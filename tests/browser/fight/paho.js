// Paho's JavaScript client with its option reconnect.

import Paho from "paho-mqtt";

globalThis.fight = ({ endpoint, port }) => {
  const got = [];
  const client = new Paho.Client("localhost", port, "/mqtt", endpoint.mqttTopic);
  client.onConnected = () => client.subscribe(endpoint.mqttTopic, { qos: 1 });
  client.onMessageArrived = (message) => got.push(JSON.parse(message.payloadString).text);
  client.connect({ userName: endpoint.username, password: endpoint.password, reconnect: true, cleanSession: false, mqttVersion: 4 });
  globalThis.fighter = { got, state: () => (client.isConnected() ? "connected" : "reconnecting") };
};
