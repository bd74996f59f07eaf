// Describes packets: what stands in their headers, and nothing that may be secret.

import type { DebugPacket } from "../../types/index.js";
import { Reader } from "../reader.js";
import { packetNames, properties, reasonName } from "./names.js";
import { Splitter } from "./splitter.js";

/** The user property by which clouds name a push. */
const pushID = "pushMessageID";

/** What is told of a packet, without when and where it passed. */
export type Description = Omit<DebugPacket, "type" | "at" | "text" | "socket" | "sent">;

/** What passes over one WebSocket. */
export class Conversation {
  readonly #sent = new Splitter();
  readonly #received = new Splitter();
  /** The protocol's, from CONNECT. */
  #version: DebugPacket["protocol"] & number = 5;

  /** Describes the packets that are whole with bytes. */
  describe(bytes: Uint8Array, sent: boolean): Description[] {
    const packets = (sent ? this.#sent : this.#received).cut(bytes);
    return packets.map((packet) => (packet ? this.#describe(packet) : { name: null, bytes: 0, malformed: true }));
  }

  #describe(packet: Uint8Array): Description {
    const name = packetNames[packet[0]! >> 4] ?? null;
    const told: Description = { name, bytes: packet.length };
    try {
      const reader = new Reader(packet);
      const flags = reader.byte() & 15;
      reader.variable();
      if (name) this.#read(name, flags, reader, told);
    } catch {
      told.malformed = true; // it ends early; what was read until then stays
    }
    if (!name) told.malformed = true;
    return told;
  }

  #read(name: NonNullable<DebugPacket["name"]>, flags: number, from: Reader, into: Description): void {
    const five = this.#version === 5;
    switch (name) {
      case "CONNECT":
        return this.#connect(from, into);
      case "CONNACK":
        into.sessionPresent = (from.byte() & 1) === 1;
        this.#reasons(name, from, into, 1);
        if (five && from.left() > 0) this.#properties(from, into);
        break;
      case "PUBLISH":
        into.qos = ((flags >> 1) & 3) as 0 | 1 | 2;
        into.retain = (flags & 1) === 1;
        into.dup = (flags & 8) === 8;
        into.topic = from.text();
        if (into.qos > 0) into.packetId = from.uint16();
        if (five) this.#properties(from, into);
        into.payloadBytes = from.left();
        break;
      case "SUBSCRIBE":
      case "UNSUBSCRIBE":
        into.packetId = from.uint16();
        if (five) this.#properties(from, into);
        into.filters = [];
        while (from.left()) into.filters.push({ filter: from.text(), ...(name === "SUBSCRIBE" && { qos: (from.byte() & 3) as 0 | 1 | 2 }) });
        break;
      case "SUBACK":
      case "UNSUBACK":
        into.packetId = from.uint16();
        if (five) this.#properties(from, into);
        if (from.left() > 0) this.#reasons(name, from, into, from.left());
        break;
      case "PUBACK":
      case "PUBREC":
      case "PUBREL":
      case "PUBCOMP":
        into.packetId = from.uint16();
        if (five) this.#ending(name, from, into);
        break;
      case "DISCONNECT":
      case "AUTH":
        if (five) this.#ending(name, from, into);
    }
  }

  #connect(from: Reader, into: Description): void {
    from.text(); // MQTT, or MQIsdp
    this.#version = into.protocol = from.byte() as 5 | 4 | 3;
    into.cleanStart = (from.byte() & 2) === 2;
    into.keepAlive = from.uint16();
    if (this.#version === 5) this.#properties(from, into);
    into.clientID = from.text(); // a will, user name and password follow
  }

  /** What success may leave out: the reason code, and then the properties (MQTT 5, 3.4.2.1). */
  #ending(name: NonNullable<DebugPacket["name"]>, from: Reader, into: Description): void {
    if (from.left() === 0) into.reasonCodes = [{ code: 0, name: reasonName(name, 0, 5) }];
    else this.#reasons(name, from, into, 1);
    if (from.left() > 0) this.#properties(from, into);
  }

  #reasons(name: NonNullable<DebugPacket["name"]>, from: Reader, into: Description, count: number): void {
    into.reasonCodes = Array.from({ length: count }, () => {
      const code = from.byte();
      return { code, name: reasonName(name, code, this.#version) };
    });
  }

  #properties(from: Reader, into: Description): void {
    const list = new Reader(from.binary(from.variable()));
    const told: NonNullable<DebugPacket["properties"]> = {};
    while (list.left()) {
      const [name, kind] = properties.get(list.variable()) ?? ["", undefined];
      switch (kind) {
        case "byte":
        case "uint16":
        case "uint32":
        case "variable":
        case "text":
          told[name] = list[kind]();
          break;
        case "secret":
          told[name] = `${list.binary().length} bytes`;
          break;
        case "pair":
          told[name] = ((told[name] as number | undefined) ?? 0) + 1;
          if (list.text() === pushID) told[pushID] = list.text();
          else list.binary(); // an application's own, which may be secret
          break;
        default:
          throw new RangeError("no such property");
      }
    }
    if (Object.keys(told).length > 0) into.properties = told;
  }
}
