// Checks what connect is called with as the module does, and in its words: a tab that follows has
// none, and would else learn of a mistake when it comes to lead.

import type { ConnectOptions, MqttEndpoint } from "../../types/index.js";
import { copyOptions } from "../calls.js";
import { invalidArgument, unsupported } from "../errors.js";

type Fields = Record<string, unknown>;

/** The options that are numbers, and from where to where; the endpoint's come behind. */
const ranges: readonly [field: string, least: number, most: number][] = [
  ["keepAlive", 1, 65535],
  ["qos", 0, 2],
  ["protocol", 3, 5],
  ["sessionExpiry", 0, 2 ** 31 - 1],
  ["maxQueue", 1, 2 ** 31 - 1],
  ["queueAge", 1, 2 ** 31 - 1],
];
const ports = ["portTCP", "portSSL", "portWS", "portWSS"];

/** Throws INVALID_ARGUMENT, or UNSUPPORTED for a transport that browsers lack. */
export function checkConnect(endpoint: MqttEndpoint, options: ConnectOptions): void {
  const to = copyOptions<object>("endpoint", endpoint) as Fields;
  for (const field of ["username", "password", "mqttTopic", "host"]) text("endpoint", field, to[field]);
  for (const port of ports) number("endpoint", port, to[port], 0, 65535);
  const given = options as Fields;
  for (const [field, least, most] of ranges) number("options", field, given[field], least, most);
  const { cleanStart, displacement, transport, path } = given;
  if (cleanStart !== undefined && typeof cleanStart !== "boolean") wrong("options.cleanStart", "must be true or false", cleanStart);
  for (const [field, value] of Object.entries({ displacement, transport, path })) if (value !== undefined) text("options", field, value);
  if (displacement !== undefined && displacement !== "off") throw invalidArgument("displacement must be off, or left out");
  if (path !== undefined) checkPath(path as string);
  if (transport === "ssl" || transport === "tcp") throw unsupported(`${transport}://`, "Connect over wss or ws.");
  if (transport !== undefined && transport !== "wss" && transport !== "ws") {
    throw invalidArgument(`the transport "${transport as string}" is unknown; it is one of wss, ws, ssl and tcp`);
  }
}

/** An absolute path without a query (RFC 3986, 3.3), and without segments that one side might remove. */
function checkPath(path: string): void {
  if (!path.startsWith("/")) throw invalidArgument("the WebSocket path must begin with /");
  const usable = /^(?:[\w.~!$&'()*+,;=:@/-]|%[\da-f]{2})*$/i.test(path) && !path.split("/").some((segment) => /^(?:\.|%2e){1,2}$/i.test(segment));
  if (!usable) throw invalidArgument("the WebSocket path is not usable");
}

function text(object: string, field: string, value: unknown): void {
  if (typeof value !== "string") wrong(`${object}.${field}`, "must be a string", value);
  if (value === "") throw invalidArgument(`${object}.${field} must not be empty.`);
}

function number(object: string, field: string, value: unknown, least: number, most: number): void {
  if (value === undefined) return;
  const name = `${object}.${field}`;
  if (typeof value !== "number") wrong(name, "must be a number", value);
  if (!(Number.isInteger(value) && (value as number) >= least && (value as number) <= most)) {
    throw invalidArgument(`${name} must be a whole number from ${least} to ${most}, but is ${value as number}.`);
  }
}

function wrong(name: string, what: string, value: unknown): never {
  const object = () => `an object of kind ${Object.prototype.toString.call(value).slice(8, -1)}`;
  const kind = value == null ? String(value) : typeof value === "object" ? object() : `a ${typeof value}`;
  throw invalidArgument(`${name} ${what}, but is ${kind}.`);
}
