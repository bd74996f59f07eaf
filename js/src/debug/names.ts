// What the standards call things, for people who read the log.

import type { DebugPacket } from "../../types/index.js";

/** The packets by their type (MQTT 5, table 2-1). */
export const packetNames: readonly (DebugPacket["name"] | undefined)[] = [
  undefined, "CONNECT", "CONNACK", "PUBLISH", "PUBACK", "PUBREC", "PUBREL", "PUBCOMP",
  "SUBSCRIBE", "SUBACK", "UNSUBSCRIBE", "UNSUBACK", "PINGREQ", "PINGRESP", "DISCONNECT", "AUTH",
];

/** MQTT 5, table 2-6. */
const reasons = new Map<number, string>([
  [0x00, "Success"],
  [0x01, "Granted QoS 1"],
  [0x02, "Granted QoS 2"],
  [0x04, "Disconnect with Will Message"],
  [0x10, "No matching subscribers"],
  [0x11, "No subscription existed"],
  [0x18, "Continue authentication"],
  [0x19, "Re-authenticate"],
  [0x80, "Unspecified error"],
  [0x81, "Malformed Packet"],
  [0x82, "Protocol Error"],
  [0x83, "Implementation specific error"],
  [0x84, "Unsupported Protocol Version"],
  [0x85, "Client Identifier not valid"],
  [0x86, "Bad User Name or Password"],
  [0x87, "Not authorized"],
  [0x88, "Server unavailable"],
  [0x89, "Server busy"],
  [0x8a, "Banned"],
  [0x8b, "Server shutting down"],
  [0x8c, "Bad authentication method"],
  [0x8d, "Keep Alive timeout"],
  [0x8e, "Session taken over"],
  [0x8f, "Topic Filter invalid"],
  [0x90, "Topic Name invalid"],
  [0x91, "Packet Identifier in use"],
  [0x92, "Packet Identifier not found"],
  [0x93, "Receive Maximum exceeded"],
  [0x94, "Topic Alias invalid"],
  [0x95, "Packet too large"],
  [0x96, "Message rate too high"],
  [0x97, "Quota exceeded"],
  [0x98, "Administrative action"],
  [0x99, "Payload format invalid"],
  [0x9a, "Retain not supported"],
  [0x9b, "QoS not supported"],
  [0x9c, "Use another server"],
  [0x9d, "Server moved"],
  [0x9e, "Shared Subscriptions not supported"],
  [0x9f, "Connection rate exceeded"],
  [0xa0, "Maximum connect time"],
  [0xa1, "Subscription Identifiers not supported"],
  [0xa2, "Wildcard Subscriptions not supported"],
]);

/** The return codes of CONNACK before MQTT 5 (MQTT 3.1.1, table 3.1). */
const returnCodes = [
  "Connection Accepted",
  "Unacceptable protocol version",
  "Identifier rejected",
  "Server unavailable",
  "Bad user name or password",
  "Not authorized",
];

/** The name of a code, which means different things in different packets. */
export function reasonName(packet: DebugPacket["name"], code: number, version: number): string {
  let name = reasons.get(code);
  if (packet === "CONNACK" && version < 5) name = returnCodes[code];
  else if (packet === "SUBACK" && code === 0) name = "Granted QoS 0";
  else if (packet === "SUBACK" && code === 0x80 && version < 5) name = "Failure";
  else if (packet === "DISCONNECT" && code === 0) name = "Normal disconnection";
  return name ?? "unknown";
}

/** The name of a code with which a broker has ended or refused a connection. Those of MQTT 5 begin far above the return codes. */
export function refusalName(code: number): string {
  return reasonName(code < 0x80 ? "CONNACK" : "DISCONNECT", code, code < 0x80 ? 4 : 5);
}

/** How a property is encoded; what may be secret is counted at most. */
type Kind = "byte" | "uint16" | "uint32" | "variable" | "text" | "secret" | "pair";

/** The properties by their identifiers (MQTT 5, table 2-4). */
export const properties = new Map<number, readonly [name: string, kind: Kind]>([
  [0x01, ["payloadFormat", "byte"]],
  [0x02, ["messageExpiry", "uint32"]],
  [0x03, ["contentType", "text"]],
  [0x08, ["responseTopic", "text"]],
  [0x09, ["correlationData", "secret"]],
  [0x0b, ["subscriptionID", "variable"]],
  [0x11, ["sessionExpiry", "uint32"]],
  [0x12, ["assignedClientID", "text"]],
  [0x13, ["serverKeepAlive", "uint16"]],
  [0x15, ["authenticationMethod", "text"]],
  [0x16, ["authenticationData", "secret"]],
  [0x17, ["requestProblemInformation", "byte"]],
  [0x18, ["willDelay", "uint32"]],
  [0x19, ["requestResponseInformation", "byte"]],
  [0x1a, ["responseInformation", "text"]],
  [0x1c, ["serverReference", "text"]],
  [0x1f, ["reasonString", "text"]],
  [0x21, ["receiveMaximum", "uint16"]],
  [0x22, ["topicAliasMaximum", "uint16"]],
  [0x23, ["topicAlias", "uint16"]],
  [0x24, ["maximumQoS", "byte"]],
  [0x25, ["retainAvailable", "byte"]],
  [0x26, ["userProperties", "pair"]],
  [0x27, ["maximumPacketSize", "uint32"]],
  [0x28, ["wildcardSubscriptionAvailable", "byte"]],
  [0x29, ["subscriptionIDAvailable", "byte"]],
  [0x2a, ["sharedSubscriptionAvailable", "byte"]],
]);
