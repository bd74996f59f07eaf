// The MQTT clients that applications use beside Kii's SDK: MQTT.js and Paho JS. Both
// connect with nothing but what getMqttEndpoint gave.

import { after } from "node:test";
import mqtt from "mqtt";
import Paho from "paho-mqtt";
import WebSocket from "ws";
import { within } from "./cloud.js";

/** A client that is connected and subscribed. */
export interface Receiver {
  /** Everything that has arrived, parsed. */
  messages: any[];
  /** Gives the next message that next has not given yet. */
  next(): Promise<any>;
  /** Settles when the connection has ended, for whatever reason. */
  ended: Promise<void>;
  close(): Promise<void>;
}

type Endpoint = KiiCloud.KiiMqttEndpoint;

/** How to reach a broker: "tcp" and "tls" are for things, the others for browsers. */
export type Transport = "tcp" | "tls" | "ws" | "wss";

/** The MQTT versions by the numbers on the wire: 3 is 3.1, 4 is 3.1.1. */
export type Version = 3 | 4 | 5;

// What a failed test left open would keep the process alive.
const open: (() => unknown)[] = [];
after(() => open.forEach((end) => end()));

class Inbox {
  messages: any[] = [];
  private given = 0;
  private waiting: (() => void)[] = [];

  put(topic: string, mine: string, payload: string): void {
    if (topic !== mine) throw new Error(`a message for the topic ${topic}`);
    this.messages.push(JSON.parse(payload));
    for (const wake of this.waiting.splice(0)) wake();
  }

  async next(): Promise<any> {
    while (this.messages.length === this.given) {
      await within("a push", new Promise<void>((resolve) => this.waiting.push(resolve)));
    }
    return this.messages[this.given++];
  }
}

function url(endpoint: Endpoint, transport: Transport): string {
  const port = { tcp: endpoint.portTCP, tls: endpoint.portSSL, ws: endpoint.portWS, wss: endpoint.portWSS }[transport];
  const scheme = { tcp: "mqtt", tls: "mqtts", ws: "ws", wss: "wss" }[transport];
  return `${scheme}://${endpoint.host}:${port}${transport.startsWith("ws") ? "/mqtt" : ""}`;
}

/** Connects and subscribes with MQTT.js; fails where the broker refuses. */
export async function withMqttJs(endpoint: Endpoint, transport: Transport, version: Version, qos: 0 | 1 = 0): Promise<Receiver> {
  const inbox = new Inbox();
  const client = mqtt.connect(url(endpoint, transport), {
    clientId: endpoint.mqttTopic,
    username: endpoint.username,
    password: endpoint.password,
    protocolVersion: version,
    protocolId: version === 3 ? "MQIsdp" : "MQTT",
    keepalive: 60,
    reconnectPeriod: 0,
  });
  open.push(() => client.end(true));
  client.on("message", (topic, payload) => inbox.put(topic, endpoint.mqttTopic, payload.toString()));
  const ended = new Promise<void>((resolve) => client.once("close", () => resolve()));
  const connected = new Promise<void>((resolve, reject) => {
    client.once("connect", () => resolve());
    client.on("error", reject); // stays: an error without a listener would end the process
    client.once("close", () => reject(new Error("the broker closed the connection")));
  });
  try {
    await within("MQTT.js's connection", connected);
    const granted = await within("MQTT.js's subscription", client.subscribeAsync(endpoint.mqttTopic, { qos }));
    if (granted[0]?.qos !== qos) throw new Error(`granted QoS ${granted[0]?.qos}`);
  } catch (error) {
    client.end(true);
    throw error;
  }
  return { messages: inbox.messages, next: () => inbox.next(), ended, close: async () => void (await client.endAsync()) };
}

/** Connects and subscribes with Paho JS, over WebSocket as it always does; fails where the broker refuses. */
export async function withPaho(endpoint: Endpoint, transport: "ws" | "wss", version?: 3 | 4): Promise<Receiver> {
  (globalThis as { WebSocket?: unknown }).WebSocket ??= WebSocket; // what a browser has
  const inbox = new Inbox();
  const client = new Paho.Client(endpoint.host, transport === "ws" ? endpoint.portWS : endpoint.portWSS, "/mqtt", endpoint.mqttTopic);
  open.push(() => client.isConnected() && client.disconnect());
  client.onMessageArrived = (message) => inbox.put(message.destinationName, endpoint.mqttTopic, message.payloadString);
  const ended = new Promise<void>((resolve) => (client.onConnectionLost = () => resolve()));
  await within(
    "Paho's connection",
    new Promise<void>((resolve, reject) =>
      client.connect({
        userName: endpoint.username,
        password: endpoint.password,
        useSSL: transport === "wss",
        keepAliveInterval: 60,
        ...(version === undefined ? {} : { mqttVersion: version }), // without: 3.1.1, then 3.1
        onSuccess: () => resolve(),
        onFailure: (e) => reject(new Error(e.errorMessage)),
      }),
    ),
  );
  await within(
    "Paho's subscription",
    new Promise<void>((resolve, reject) =>
      client.subscribe(endpoint.mqttTopic, { qos: 0, onSuccess: () => resolve(), onFailure: (e) => reject(new Error(e.errorMessage)) }),
    ),
  );
  return {
    messages: inbox.messages,
    next: () => inbox.next(),
    ended,
    close: async () => {
      if (client.isConnected()) client.disconnect();
      await within("Paho's end", ended);
    },
  };
}
