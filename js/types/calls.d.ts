// What every method takes last, and what it rejects with.

/** What an error is about. Switch on it; messages are for people and may change. An error's `remedy` says what to do. */
export type Code =
  /** An argument or option is of the wrong type or out of range, or the server answered 400. */
  | "INVALID_ARGUMENT"
  /** The call needs a login, and there is none. */
  | "NOT_LOGGED_IN"
  /** The server does not take the token (401): log in again. */
  | "UNAUTHORIZED"
  /** 403, or the broker does not allow it. */
  | "FORBIDDEN"
  /** 404: there is no such installation, topic, user or thing. */
  | "NOT_FOUND"
  /** 409: the name is taken, or the topic is there already. */
  | "CONFLICT"
  /** The server was asked three times, and had not prepared the endpoint. */
  | "ENDPOINT_NOT_READY"
  /** The push is over 4,096 bytes, with what the server adds. */
  | "PUSH_TOO_LARGE"
  /** 429, or the broker's quota; `retryAfter` says for how long. */
  | "RATE_LIMITED"
  /** 5xx, or the broker is busy or shutting down. */
  | "SERVER_ERROR"
  /** The answer is not what a Kii-compatible API says. */
  | "BAD_RESPONSE"
  /** No answer, no connection, or the connection was lost. */
  | "NETWORK"
  /** The call's `timeout` is over, or a message has waited longer than it may. */
  | "TIMEOUT"
  /** The call's `signal` ended it. */
  | "ABORTED"
  /** The connection or the client has been closed. */
  | "CLOSED"
  /** Name or password are wrong, or the broker refuses the endpoint's. */
  | "BAD_CREDENTIALS"
  /** Another device of the same user has connected; `takeBack` contests that. */
  | "DISPLACED"
  /** The installation was uninstalled, here or elsewhere. */
  | "REVOKED"
  /** The broker sent something that MQTT does not allow. */
  | "PROTOCOL_ERROR"
  /** The broker speaks none of the MQTT versions that were tried. */
  | "PROTOCOL_VERSION"
  /** The message is larger than the broker takes; with the state `online`: one that came was larger than is accepted, and was passed over. */
  | "PACKET_TOO_LARGE"
  /** `maxQueue` messages wait to be sent. */
  | "QUEUE_FULL"
  /** Credentials would have left this machine over http:// or ws://; see `allowInsecure`. */
  | "INSECURE"
  /** The module or a script of the library did not load; `why` says more. */
  | "WASM_LOAD"
  /** The module ended; the next call starts it anew. */
  | "CRASHED"
  /** The browser, the broker or this place (a server, a service worker) cannot do it. */
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
  /** One sentence: what to do about it. Of the codes' remedies the project's docs/errors.md has a table. */
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
  /** Milliseconds after which the call rejects with TIMEOUT; 30,000 when absent. For `dispose` 5,000. */
  timeout?: number | undefined;
}
