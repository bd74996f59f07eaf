// Paho's JavaScript client, https://github.com/eclipse-paho/paho.mqtt.javascript

import Paho from "paho-mqtt";
import { page } from "./_harness.js";

page(async ({ host, port, path, id, topic, qos, username, password, onMessage }) => {
  const client = new Paho.Client(host, port, path, id);
  const delivered = new Map();
  client.onMessageArrived = (message) => onMessage(message.destinationName, message.payloadBytes);
  client.onMessageDelivered = (message) => {
    delivered.get(message)?.();
    delivered.delete(message);
  };
  const call = (method, ...args) =>
    new Promise((onSuccess, reject) => {
      const onFailure = ({ errorMessage }) => reject(new Error(errorMessage));
      const options = { onSuccess, onFailure, ...args.pop() };
      client[method](...args, options);
    });
  const login = username && { userName: username, password };
  await call("connect", { mqttVersion: 4, cleanSession: true, ...login });
  await call("subscribe", topic, { qos });
  return {
    publish: (topic, bytes, qos) =>
      new Promise((resolve) => {
        const message = new Paho.Message(bytes);
        message.destinationName = topic;
        message.qos = qos;
        delivered.set(message, resolve);
        client.send(message);
      }),
    close: () => client.disconnect(),
  };
});
