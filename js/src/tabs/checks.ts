// Tells whether connect is called with what the module takes. A tab that follows has no module, and would else learn of a mistake
// when it comes to lead.

import type { ConnectOptions, MqttEndpoint } from "../../types/index.js";
import { maxTimeout } from "../calls.js";

type Fields = Record<string, unknown>;

/** The options that are numbers, and from where to where. */
const ranges: readonly [field: string, least: number, most: number][] = [
  ["keepAlive", 1, 65535],
  ["qos", 0, 2],
  ["protocol", 3, 5],
  ["sessionExpiry", 0, maxTimeout],
  ["maxQueue", 1, maxTimeout],
  ["queueAge", 1, maxTimeout],
];

/** The endpoint's fields that have to be there, and its ports, which need not. */
const texts = ["username", "password", "mqttTopic", "host"];
const ports = ["portTCP", "portSSL", "portWS", "portWSS"];

/** An absolute path without a query (RFC 3986, 3.3), and segments that one side might remove. */
const absolute = /^\/(?:[\w.~!$&'()*+,;=:@/-]|%[\da-f]{2})*$/i;
const dots = /\/(?:\.|%2e){1,2}(?:\/|$)/i;

/** Tells whether a connection can be shared so. What cannot, the module refuses, and says why. Of both plain data is taken. */
export function shareable(endpoint: Partial<MqttEndpoint> | null | undefined, options: ConnectOptions): boolean {
  const to = (endpoint ?? {}) as Fields;
  const { cleanStart, displacement, transport, path, ...rest } = options as Fields;
  return (
    texts.every((field) => to[field] && typeof to[field] === "string") &&
    ports.every((port) => isWhole(to[port], 0, 65535)) &&
    ranges.every(([field, least, most]) => isWhole(rest[field], least, most)) &&
    isAmong(cleanStart, true, false) &&
    isAmong(displacement, "off") &&
    isAmong(transport, "wss", "ws") &&
    (path === undefined || (typeof path === "string" && absolute.test(path) && !dots.test(path)))
  );
}

function isWhole(value: unknown, least: number, most: number): boolean {
  return value === undefined || (Number.isInteger(value) && (value as number) >= least && (value as number) <= most);
}

function isAmong(value: unknown, ...choice: unknown[]): boolean {
  return value === undefined || choice.includes(value);
}
