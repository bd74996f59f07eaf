// What startPush goes through in tests: a cloud with one installation per owner, and a page's storage.

import { KiiError } from "../src/errors.js";
import type { Host, Sink } from "../src/host.js";
import { readStaged } from "../src/staged.js";
import type { StateChange } from "../types/index.js";
import { newClient } from "./newclient.js";

export const failure = (code: KiiError["code"], retryable: boolean) => new KiiError(code, { code, retryable, remedy: "r" });

/** A client whose host plays a cloud with one installation per owner. */
export function client() {
  const calls: string[] = [];
  const connections: { owner: string; sink: Sink; open: boolean }[] = [];
  const failures = new Map<string, KiiError[]>();
  /** The first ticket and the number of the messages that were sent at a time. */
  const sends: [number, number][] = [];
  const waits = new Map<string, Promise<void>>();
  /** How connections end in the very turn in which they come to stand. */
  const endAtOnce: StateChange[] = [];
  let owner = "";
  const host: Host = {
    place: { name: "worker", reason: null },
    call: async (method, args) => {
      calls.push([method, ...args].join(" "));
      await waits.get(method);
      const error = failures.get(method)?.shift();
      if (error) throw error;
      if (method === "login") return { userID: (owner = args[0] as string), token: "t" };
      if (method === "installMqtt") return { installationID: `i-${owner}`, installationRegistrationID: `r-${owner}` };
      return { installationID: args[0], mqttTopic: "topic" };
    },
    connect: async (_, __, sink) => {
      const connection = { owner, sink, open: true };
      connections.push(connection);
      sink.state({ state: "online", reason: "" });
      const end = endAtOnce.shift();
      if (end) sink.state(end);
      return {
        call: async (method) => {
          if (method !== "close") return void calls.push(method);
          connection.open = false;
          sink.state({ state: "closed", code: "CLOSED", reason: "" });
        },
        wake: () => {},
        sender: { send: (staged, first) => void sends.push([first, readStaged(staged).length]), forget: () => {} },
      };
    },
    end: () => {},
    signal: () => {},
  };
  return { kii: newClient(() => host), calls, connections, sends, failures, waits, endAtOnce };
}

/** A page's storage, until t ends; broken throws like a sandboxed frame's. */
export function storage(t: { after(end: () => unknown): void }, broken = false): Map<string, string> {
  const items = new Map<string, string>();
  const deny = () => {
    throw new Error("denied");
  };
  const value = {
    getItem: (key: string) => (broken ? deny() : (items.get(key) ?? null)),
    setItem: (key: string, item: string) => (broken ? deny() : void items.set(key, item)),
    removeItem: (key: string) => (broken ? deny() : void items.delete(key)),
  };
  Object.defineProperty(globalThis, "localStorage", { value, configurable: true });
  t.after(() => Reflect.deleteProperty(globalThis, "localStorage"));
  return items;
}

export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1));
}
