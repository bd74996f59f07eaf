// The one error class, and the errors that the loader itself raises. Those of the Go
// side come with texts of their own.

import type { Code, KiiError as PublicError, KiiErrorFields, WasmLoadReason } from "../types/index.js";

/** Marks the errors of every copy of the class: a page may have the loader, and files that it loads later. */
const brand = Symbol.for("kiiweb.KiiError");

/** Implements the class of the same name in the public types. */
export class KiiError extends Error implements PublicError {
  /** Any copy's errors are instances of this one; of a class derived from it, only its own are. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    if (this !== KiiError) return Function.prototype[Symbol.hasInstance].call(this, value);
    return typeof value === "object" && value !== null && brand in value;
  }

  declare readonly name: "KiiError";
  declare readonly code: Code;
  declare readonly retryable: boolean;
  declare readonly remedy: string;
  declare readonly status?: number;
  declare readonly kiiCode?: string;
  declare readonly kiiMessage?: string;
  declare readonly reasonCode?: number;
  declare readonly retryAfter?: number;
  declare readonly why?: WasmLoadReason;

  constructor(message: string, fields: KiiErrorFields) {
    super(message);
    Object.assign(this, fields);
  }
}
// On the prototype, as the built-in errors have it: a console then does not list it among the fields.
Object.defineProperties(KiiError.prototype, { name: { value: "KiiError", configurable: true, writable: true }, [brand]: { value: true } });

export function invalidArgument(message: string, cause?: unknown): KiiError {
  return make("INVALID_ARGUMENT", message, "Correct the argument that the message names; nothing was sent.", cause);
}

export function aborted(signal: AbortSignal): KiiError {
  return make("ABORTED", "The call was aborted.", "Nothing to do: the caller's signal ended the call.", signal.reason);
}

export function timedOut(): KiiError {
  return make("TIMEOUT", "The time allowed for the call is over.", "Try again, or allow more time with the timeout option.");
}

export function crashed(cause: unknown): KiiError {
  return make(
    "CRASHED",
    "The WebAssembly module has crashed.",
    "Call the method again: the module is started anew. Please report the cause.",
    cause,
  );
}

export function disposed(): KiiError {
  return make("CLOSED", "The client has been disposed.", "Make a new client with load.");
}

export function unsupported(feature: string, remedy: string = `Use a browser that has ${feature}.`): KiiError {
  return make("UNSUPPORTED", `This environment has no ${feature}.`, remedy);
}

export function noBrowser(): KiiError {
  const remedy = "Load kiiweb in the browser; on servers use the Go library, github.com/kiiweb/kiiweb/pkg/kiiweb.";
  return make("UNSUPPORTED", "This environment is no browser.", remedy);
}

const loadRemedies: Record<Exclude<WasmLoadReason, "origin">, string> = {
  notFound: "Put kiiweb.wasm beside the loader, or say with wasmURL where it is.",
  mime: "Make the server send kiiweb.wasm itself, as application/wasm, and no page in its place.",
  csp: "Add 'wasm-unsafe-eval' to script-src of the Content-Security-Policy.",
  mismatch: "Deploy the loader and kiiweb.wasm of one build together, and clear caches between.",
  network: "Check the connection, wasmURL and, where that is another origin, that its server allows this one (CORS).",
};

export function wasmLoad(why: keyof typeof loadRemedies, message: string, extra?: { cause?: unknown; status?: number; remedy?: string }): KiiError {
  return new KiiError(message, { code: "WASM_LOAD", retryable: why === "network", remedy: loadRemedies[why], why, ...extra });
}

// Only what can be tried again with hope is retryable.
function make(code: Code, message: string, remedy: string, cause?: unknown): KiiError {
  const retryable = code === "TIMEOUT" || code === "CRASHED";
  return new KiiError(message, { code, retryable, remedy, ...(cause === undefined ? undefined : { cause }) });
}
