// What every method takes last, and what it rejects with.

/** What an error is about. Switch on it; messages are for people and may change. */
export type Code =
  | "INVALID_ARGUMENT"
  | "NOT_LOGGED_IN"
  | "UNAUTHORIZED"
  | "FORBIDDEN"
  | "NOT_FOUND"
  | "CONFLICT"
  | "ENDPOINT_NOT_READY"
  | "PUSH_TOO_LARGE"
  | "RATE_LIMITED"
  | "SERVER_ERROR"
  | "BAD_RESPONSE"
  | "NETWORK"
  | "TIMEOUT"
  | "ABORTED"
  | "CLOSED"
  | "BAD_CREDENTIALS"
  | "DISPLACED"
  | "REVOKED"
  | "PROTOCOL_ERROR"
  | "PROTOCOL_VERSION"
  | "PACKET_TOO_LARGE"
  | "QUEUE_FULL"
  | "INSECURE"
  | "WASM_LOAD"
  | "CRASHED"
  | "UNSUPPORTED";

/** Why the WebAssembly module, or a script that runs it, did not load, beside code WASM_LOAD. */
export type WasmLoadReason =
  /** The server has no such file. */
  | "notFound"
  /** The server sent something else under the file's name, often an HTML page. */
  | "mime"
  /** The Content-Security-Policy forbids fetching, compiling or starting it. */
  | "csp"
  /** It and the loader come from different builds. */
  | "mismatch"
  /** The worker's file is not of the page's origin. */
  | "origin"
  /** It did not arrive, or the worker did not answer. */
  | "network";

/** What a KiiError holds beside its message. */
export interface KiiErrorFields {
  code: Code;
  /** The same call may succeed later without a change by the caller. */
  retryable: boolean;
  /** One sentence: what to do about it. */
  remedy: string;
  /** HTTP status, where an HTTP answer is behind the error. */
  status?: number;
  /** `errorCode` of the server's answer. */
  kiiCode?: string;
  /** `message` of the server's answer. */
  kiiMessage?: string;
  /** MQTT reason code (5.0) or return code (3.x). */
  reasonCode?: number;
  /** Seconds that the server asked to wait. */
  retryAfter?: number;
  /** With code WASM_LOAD. */
  why?: WasmLoadReason;
  cause?: unknown;
}

/** What every method rejects with. */
export class KiiError extends Error {
  constructor(message: string, fields: KiiErrorFields);
  readonly name: "KiiError";
  readonly code: Code;
  readonly retryable: boolean;
  readonly remedy: string;
  readonly status?: number;
  readonly kiiCode?: string;
  readonly kiiMessage?: string;
  readonly reasonCode?: number;
  readonly retryAfter?: number;
  readonly why?: WasmLoadReason;
}

/** The last argument of every method. */
export interface CallOptions {
  /** Ends the call, which then rejects with ABORTED. */
  signal?: AbortSignal | undefined;
  /** Milliseconds after which the call rejects with TIMEOUT; 30,000 when absent. */
  timeout?: number | undefined;
}
