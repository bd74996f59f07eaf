// Reads the properties of a PUBLISH (MQTT 5, 3.3.2.3) from their bytes, and writes them. The Go
// side checks both: what this does not know cannot be there.

import type { MessageProperties, PublishOptions } from "../types/index.js";
import { ownBytes } from "./bytes.js";
import { copyOptions } from "./calls.js";
import { invalidArgument, KiiError } from "./errors.js";
import { Reader } from "./reader.js";

const encoder = new TextEncoder();

/** The properties that a user can give, their identifiers, and the bytes of those that are numbers. */
const sendable: [name: string, id: number, size?: number][] = [
  ["payloadFormat", 0x01, 1],
  ["messageExpiry", 0x02, 4],
  ["contentType", 0x03],
  ["responseTopic", 0x08],
  ["correlationData", 0x09],
];

/** Encodes what a user gives, without the length in front. What cannot be encoded is INVALID_ARGUMENT. */
export function encodeProperties(properties: NonNullable<PublishOptions["properties"]>): Uint8Array {
  try {
    return encode(properties);
  } catch (cause) {
    throw cause instanceof KiiError ? cause : invalidArgument("options.properties cannot be read.", cause); // what is in an array may throw
  }
}

function encode(properties: NonNullable<PublishOptions["properties"]>): Uint8Array {
  const given = copyOptions("options.properties", properties) as Record<string, unknown>;
  const bytes: number[] = [];
  const demand = (kept: boolean, name: string) => {
    if (!kept) throw invalidArgument(`options.properties.${name} is not as the type MessageProperties says.`);
  };
  const write = (name: string, value: unknown) => {
    const field = (typeof value === "string" ? encoder.encode(value) : ownBytes(`options.properties.${name}`, value)) as Uint8Array;
    demand(field instanceof Uint8Array && field.length < 65536, name);
    bytes.push(field.length >> 8, field.length & 255);
    for (const byte of field) bytes.push(byte);
  };
  for (const [name, id, size] of sendable) {
    const value = given[name];
    if (value === undefined) continue;
    bytes.push(id);
    if (size) {
      demand(Number.isInteger(value) && (value as number) >= 0 && (value as number) < 256 ** size, name);
      for (let shift = 8 * (size - 1); shift >= 0; shift -= 8) bytes.push(((value as number) >>> shift) & 255);
    } else write(name, value);
  }
  const users = given.userProperties ?? [];
  demand(Array.isArray(users), "userProperties");
  for (const pair of users as unknown[]) {
    demand(Array.isArray(pair) && pair.length === 2, "userProperties");
    bytes.push(0x26);
    for (const value of pair as unknown[]) write("userProperties", value);
  }
  return Uint8Array.from(bytes);
}

/** Decodes raw, which is without the length in front. */
export function decodeProperties(raw: Uint8Array): MessageProperties {
  const properties: MessageProperties = {};
  const reader = new Reader(raw);
  while (reader.left()) read(reader, properties);
  return properties;
}

function read(from: Reader, into: MessageProperties): void {
  const id = from.byte();
  switch (id) {
    case 0x01:
      into.payloadFormat = from.byte();
      break;
    case 0x02:
      into.messageExpiry = from.uint32();
      break;
    case 0x03:
      into.contentType = from.text();
      break;
    case 0x08:
      into.responseTopic = from.text();
      break;
    case 0x09:
      into.correlationData = from.binary();
      break;
    case 0x0b:
      (into.subscriptionIDs ??= []).push(from.variable());
      break;
    case 0x23: // topic alias: resolved before a message gets here
      from.uint16();
      break;
    case 0x26:
      (into.userProperties ??= []).push([from.text(), from.text()]);
      break;
    default:
      throw new RangeError(`PUBLISH has no property ${id}.`);
  }
}
