// What a page and its worker say to each other. Both are of one build, which the worker's
// first message proves, so nothing here has to stay as it is.

import type { Login, MqttEndpoint, Owner, StateChange } from "../types/index.js";
import type { Batch } from "./batch.js";
import type { Seen } from "./debug/tap.js";
import { invalidArgument, KiiError } from "./errors.js";
import type { Handled, Signal } from "./host.js";
import type { Config } from "./options.js";

/** Of a call, in milliseconds. */
type Timeout = number | undefined;

export type ToWorker =
  /** Comes first, and once. renews: the page can be asked for tokens. watched: there is a debug log. */
  | { type: "init"; config: Config; wasmURL: string; renews: boolean; watched?: boolean }
  /** Calls a method of the client or, with its number, of a connection. */
  | { type: "call"; id: number; link?: number; method: string; args: unknown[]; options: object; timeout: Timeout; login: Login | null }
  /** Opens a connection, whose number is id. */
  | { type: "connect"; id: number; endpoint: MqttEndpoint; options: object; timeout: Timeout; login: Login | null }
  /** Messages of a connection to be sent, as they are staged, and that nobody waits for one any more. */
  | { type: "send"; link: number; staged: Uint8Array; first: number; count: number }
  | { type: "forget"; link: number; ticket: number }
  /** The caller's signal has ended the call. */
  | { type: "abort"; id: number }
  | { type: "wake"; link: number; cause: string }
  | { type: "signal"; signal: Signal; cause: string }
  /** What the page was asked for. */
  | { type: "token"; id: number; token: string | null }
  | { type: "noToken"; id: number; error: Crossing };

export type ToPage =
  /** The worker's first words. */
  | { type: "hello"; build: string }
  | { type: "result"; id: number; value: unknown }
  | { type: "error"; id: number; error: Crossing }
  /** How messages of a connection went. */
  | { type: "sent"; link: number; tickets: Int32Array; error?: Crossing }
  | { type: "state"; link: number; change: Omit<StateChange, "error">; error?: Crossing }
  /** Asks for a new token of owner's. */
  | { type: "renew"; id: number; owner: Owner }
  /** For the debug log. */
  | { type: "seen"; seen: Seen };

/**
 * Messages of a connection, and the number by which the page's word names them. There are many of these, so they are as brief as
 * can be. What is alone in its frame, and on a topic that is known, is its frame and its row of the table.
 */
export type Batches = [id: number, link: number, batches: Batch[]] | [id: number, link: number, frame: ArrayBuffer, ...row: number[]];

/** The page's handlers have returned from the messages of that number: what became of each batch. */
export type Word = [id: number, ...stops: Handled[]];

/** An error on its way: the fields of a KiiError, whose class does not cross, or any other value. */
export type Crossing = { message: string; fields: object; cause?: Crossing } | { value: unknown };

/** How many errors, each the cause of the one before, cross at most. */
const maxCauses = 8;

export function packError(error: unknown, depth = 0): Crossing {
  if (!(error instanceof KiiError)) return { value: cloneable(error) };
  const { cause, ...fields } = error;
  const packed = { message: error.message, fields };
  return cause === undefined || depth === maxCauses ? packed : { ...packed, cause: packError(cause, depth + 1) };
}

export function unpackError(packed: Crossing): unknown {
  if ("value" in packed) return packed.value;
  const { message, fields, cause } = packed;
  return new KiiError(message, { ...fields, ...(cause && { cause: unpackError(cause) }) } as ConstructorParameters<typeof KiiError>[1]);
}

function cloneable(value: unknown): unknown {
  try {
    return structuredClone(value);
  } catch {
    return String(value);
  }
}

/** So many bytes cross at most: one more than the program takes, which is enough for it to say so. */
const maxBytes = (16 << 20) + 1;

/**
 * Makes what a method takes ready to cross. The program would read an object's fields, of a
 * framework's proxy as well, which postMessage refuses; so its JSON goes. Bytes are copied into
 * transfer: the caller keeps its own. Errors call it name.
 */
export function plain(value: unknown, transfer: Transferable[], name = "An argument"): unknown {
  if (typeof value === "function" || typeof value === "symbol") throw invalidArgument(`${name} is a ${typeof value}.`);
  if (typeof value !== "object" || value === null) return value;
  try {
    if (value instanceof ArrayBuffer || value instanceof Uint8Array) {
      const copy = new Uint8Array(value instanceof ArrayBuffer ? value.slice(0, maxBytes) : value.subarray(0, maxBytes));
      transfer.push(copy.buffer);
      return copy;
    }
    return JSON.parse(JSON.stringify(value));
  } catch (cause) {
    throw invalidArgument(`${name} cannot be read.`, cause);
  }
}
