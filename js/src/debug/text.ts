// The entries of the log in words.

import type { DebugEntry, DebugPacket, DebugReason } from "../../types/index.js";

/** An entry without its words. */
export type Wordless = DebugEntry extends infer E ? (E extends DebugEntry ? Omit<E, "text"> : never) : never;

/** Says entry in one line. */
export function wordsFor(entry: Wordless): string {
  switch (entry.type) {
    case "packet":
      return `#${entry.socket} ${arrow(entry.sent)} ${packet(entry)}`;
    case "socket":
      return `#${entry.socket} ${listed(entry.event, entry.url, entry.subprotocol, entry.closeCode, entry.reason)}`;
    case "request": {
      const { request, method, url, status, failure, duration } = entry;
      return `${method} ${url} (${request})${duration === undefined ? "" : ` → ${status ?? failure} in ${duration} ms`}`;
    }
    case "state": {
      const { connection, state, code, reason, reasonCode, retryIn } = entry;
      return `connection ${connection}: ${listed(state, code, reasonCode && named(reasonCode), reason, retryIn !== undefined && `again in ${retryIn} ms`)}`;
    }
    case "call": {
      const { call, method, connection, duration, error } = entry;
      const what = `${connection === undefined ? "" : `connection ${connection} `}${method} (${call})`;
      if (duration === undefined) return what;
      return `${what} → ${error ? listed(error.code, error.status, error.kiiCode, error.reasonCode, error.why) : "done"} in ${duration} ms`;
    }
    case "tabs":
      return `tabs ${arrow(entry.sent)} ${listed(entry.message, entry.method, entry.messages !== undefined && `${entry.messages} message${entry.messages === 1 ? "" : "s"}`, entry.state, entry.from && `from ${entry.from}`)}`;
    case "place":
      return `module: ${listed(entry.host ?? "nowhere yet", entry.hostReason)}; tabs: ${listed(entry.tabs ?? "none", entry.tabsReason)}`;
    case "signal":
      return `${entry.signal}: ${entry.cause}`;
  }
}

function arrow(sent: boolean): string {
  return sent ? "→" : "←";
}

/** What is there, with commas between. */
function listed(...parts: (string | number | false | undefined)[]): string {
  return parts.filter((part) => part !== undefined && part !== false && part !== "").join(", ");
}

function named({ code, name }: DebugReason): string {
  return `${name} (0x${code.toString(16).padStart(2, "0")})`;
}

function packet(p: Omit<DebugPacket, "text">): string {
  const title = p.packetId === undefined ? (p.name ?? "no MQTT packet") : `${p.name} ${p.packetId}`;
  return listed(
    title,
    p.reasonCodes?.map(named).join(" "),
    p.protocol && `MQTT ${{ 5: "5", 4: "3.1.1", 3: "3.1" }[p.protocol]}`,
    p.clientID !== undefined && `client identifier ${p.clientID}`,
    p.cleanStart !== undefined && `clean start ${p.cleanStart}`,
    p.keepAlive !== undefined && `keep alive ${p.keepAlive} s`,
    p.sessionPresent && "session present",
    p.topic !== undefined && `topic ${p.topic}`,
    p.qos !== undefined && `QoS ${p.qos}`,
    p.retain && "retained",
    p.dup && "DUP",
    p.filters?.map(({ filter, qos }) => (qos === undefined ? filter : `${filter} at QoS ${qos}`)).join(" "),
    p.properties && Object.entries(p.properties).map(([name, value]) => `${name} ${value}`).join(" "),
    p.payloadBytes !== undefined && `payload ${p.payloadBytes}`,
    `${p.bytes} bytes`,
    p.malformed && "malformed",
  );
}
