// Checked by `npm run typecheck`, never run: what the types allow, what they refuse, and
// that the sources offer what the types promise.

import type * as Source from "../src/esm.js";
import type * as Api from "./index.js";
import type { Connection, Kii, KiiError, KiiPushMessage, Login, Message, StateChange, Topic, TopicScope } from "./index.js";
import type { Raw } from "./raw.js";
import "./global.js";

declare const load: typeof Api.load;
declare const raw: Raw;
declare const kii: Kii;

/** Fails to compile unless A and B are the same type. */
function same<A, B>(_: (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false): void {}

// The sources cannot drift from the types.
((source: typeof Source): typeof Api => source);
// build and openHost are between the files of the library.
same<Exclude<keyof typeof Source, "build" | "openHost">, keyof typeof Api>(true);
same<Exclude<keyof typeof globalThis.kiiweb, "attach">, keyof typeof Api>(true); // attach is compat's

export async function journey(): Promise<void> {
  const client = await load({ appID: "a", appKey: "k", site: "JP" });
  same<typeof client, Kii>(true);
  await load({ appID: "a", appKey: "k", baseURL: "http://localhost:8080/api", wasmURL: new URL("https://a.example/k.wasm") });
  await load({ appID: "a", appKey: "k", site: "JP", host: "worker", workerURL: "/kiiweb/worker.js" });
  same<typeof client.host, "worker" | "main" | null>(true);
  same<typeof client.hostReason, KiiError | null>(true);
  await load({ appID: "a", appKey: "k", site: "http://localhost:8080/api" });
  await load({ appID: "a", appKey: "k", site: "JP", getToken: async ({ userID }) => (userID === undefined ? null : "t") });

  const login = await client.login("name", "password", { signal: new AbortController().signal, timeout: 1000 });
  same<typeof login, Login>(true);
  await client.useToken(login.token, login);
  await client.useToken(login.token, { thingID: "t" });
  await client.useToken(login.token);

  const { installationID, installationRegistrationID } = await client.installMqtt(false);
  const endpoint = await client.getMqttEndpoint(installationID);
  same<(typeof endpoint)["X-MQTT-TTL"], number | undefined>(true);
  const connection = await client.connect(endpoint, { keepAlive: 60, qos: 1, protocol: 4, cleanStart: true, timeout: 5000 });
  same<typeof connection, Connection>(true);

  const off = connection.on("message", (m) => same<typeof m, Message>(true));
  same<typeof off, () => void>(true);
  connection.once("state", (s) => same<typeof s, StateChange>(true));
  for await (const message of connection) {
    same<typeof message, Message>(true);
    const { alert } = message.json<{ alert: string }>();
    same<typeof alert, string>(true);
  }
  await connection.publish("", new Uint8Array(1), { qos: 2 });
  await connection.publish("", "", { properties: { contentType: "a/b", userProperties: [["k", "v"]] } });
  same<Awaited<ReturnType<typeof connection.subscribe>>, 0 | 1 | 2>(true);
  await connection.subscribe("a/#", { qos: 2, timeout: 1000 });
  await connection.unsubscribe("a/#");
  await connection.close();
  await client.uninstall(installationRegistrationID, "MQTT");
  await client.sendToMe({ data: { text: "hello", count: 1, urgent: false, none: null }, sendWhen: true });
}

export async function ends(): Promise<void> {
  await using client = await load({ appID: "a", appKey: "k", site: "JP" });
  await using connection = await client.connect(await client.getMqttEndpoint("id"));
  same<typeof connection, Connection>(true);
  await client.dispose({ timeout: 100, signal: new AbortController().signal });
}

export function pushes(message: Message): void {
  const push = message.json<KiiPushMessage<{ text: string }>>();
  same<typeof push.text, string>(true);
  same<typeof push.when, number | undefined>(true);
  same<typeof push.origin, "EXPLICIT" | "EVENT" | undefined>(true);
  same<typeof push.objectScopeType, "APP" | "APP_AND_USER" | "APP_AND_THING" | undefined>(true);
  const any = message.json<KiiPushMessage>();
  same<typeof any.sender, string | undefined>(true);
  // @ts-expect-error what is not stated is not known
  message.json().text;
}

export async function topics(): Promise<void> {
  const thing = await kii.registerThing("serial-1", "password");
  same<typeof thing, Login>(true);
  same<Awaited<ReturnType<Kii["loginAsThing"]>>, Login>(true);

  const mine: Topic = { name: "news", userID: "me" };
  await kii.createTopic(mine, { timeout: 1000 });
  await kii.createTopic("news");
  await kii.subscribe({ name: "news", thingID: "t" });
  await kii.subscribe({ name: "news" });
  const answers = [await kii.topicExists(mine), await kii.isSubscribed(mine)];
  same<typeof answers, boolean[]>(true);

  const scope: TopicScope = { userID: "me" };
  const { topics, paginationKey } = await kii.listTopics(scope);
  same<typeof topics, string[]>(true);
  await kii.listTopics(undefined, paginationKey, { timeout: 1000 });
  await kii.listTopics(null, null);
  await kii.listTopics({});

  const { pushMessageID } = await kii.sendToTopic(mine, { data: { text: "hello" }, sendTopicID: true });
  same<typeof pushMessageID, string>(true);
  await kii.unsubscribe(mine);
  await kii.deleteTopic(mine);
}

export function refusals(connection: Connection): void {
  // @ts-expect-error site or baseURL is missing
  void load({ appID: "a", appKey: "k" });
  // @ts-expect-error one of them
  void load({ appID: "a", appKey: "k", site: "US", baseURL: "https://a.example" });
  // @ts-expect-error no such region
  void load({ appID: "a", appKey: "k", site: "XX" });
  // @ts-expect-error no such host
  void load({ appID: "a", appKey: "k", site: "US", host: "shared" });
  // @ts-expect-error a boolean
  void kii.installMqtt("true");
  // @ts-expect-error the only device type
  void kii.uninstall("id", "ANDROID");
  // @ts-expect-error both a user and a thing
  void kii.useToken("token", { userID: "u", thingID: "t" });
  // @ts-expect-error data is flat
  void kii.sendToMe({ data: { nested: {} } });
  // @ts-expect-error there is nothing to send
  void kii.sendToMe({});
  // @ts-expect-error a topic has a name
  void kii.createTopic({ userID: "me" });
  // @ts-expect-error both a user's and a thing's
  void kii.subscribe({ name: "news", userID: "u", thingID: "t" });
  // @ts-expect-error a scope has no name
  void kii.listTopics({ name: "news" });
  // @ts-expect-error there is nothing to send
  void kii.sendToTopic("news", {});
  // @ts-expect-error no such event
  connection.on("error", () => {});
  // @ts-expect-error state is read-only
  connection.state = "closed";
}

export function errors(error: KiiError): number | undefined {
  switch (error.code) {
    case "WASM_LOAD":
      same<typeof error.why, "notFound" | "mime" | "csp" | "mismatch" | "origin" | "network" | undefined>(true);
      return undefined;
    // @ts-expect-error no such code
    case "NO_SUCH_CODE":
      return undefined;
    default:
      return error.status;
  }
}

export async function withoutLoader(): Promise<void> {
  await raw.init({ appID: "a", appKey: "k", site: "JP" });
  const endpoint = await raw.getMqttEndpoint("id");
  const connection = await raw.connect(endpoint, { onMessage: (m) => m.json(), onState: ({ state }) => state });
  await connection.close();
  const other = await raw.create({ appID: "b", appKey: "k", site: "US" });
  // @ts-expect-error site or baseURL is missing
  await raw.init({ appID: "a", appKey: "k" });
  // @ts-expect-error the loader's own
  await raw.create({ appID: "a", appKey: "k", site: "US", tabs: false });
  await other.login("name", "password");
  type Loader = "current" | "host" | "hostReason" | "tabs" | "tabsReason" | "startPush" | "dispose" | typeof Symbol.asyncDispose;
  same<keyof typeof other, Exclude<keyof Kii, Loader> | "wake" | "pause">(true);
  same<Awaited<ReturnType<typeof other.listTopics>>["topics"], string[]>(true);
}
