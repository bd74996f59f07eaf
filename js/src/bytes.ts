// Bytes that a page passes, whichever frame they come from: another one's classes are not this one's.

import { invalidArgument } from "./errors.js";

/** Gives bytes of another frame's as this one's, without a copy, and any other value as it is. Errors call it name. */
export function ownBytes(name: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  try {
    if (value instanceof Uint8Array || value instanceof ArrayBuffer) return value;
    const kind = Object.prototype.toString.call(value);
    if (ArrayBuffer.isView(value)) return kind === "[object Uint8Array]" ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength) : null;
    // A view is made of real ones alone.
    return kind === "[object ArrayBuffer]" ? new Uint8Array(new DataView(value as ArrayBuffer).buffer) : value;
  } catch (cause) {
    throw invalidArgument(`${name} cannot be read.`, cause);
  }
}
