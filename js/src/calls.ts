// The options that every call takes last.

import type { CallOptions } from "../types/index.js";
import { aborted, invalidArgument, timedOut } from "./errors.js";

/** What a call's timeout is when none is given, in milliseconds: every call ends. */
export const defaultTimeout = 30_000;

/** The longest timeout that timers can keep, in milliseconds. */
export const maxTimeout = 2 ** 31 - 1;

/** Reads a copy of an object whose getters, if any, may throw. Absent options are empty. */
export function copyOptions<T extends object>(name: string, options: T | null | undefined): T {
  if (options === undefined || options === null) return {} as T;
  if (typeof options !== "object") throw invalidArgument(`${name} must be an object.`);
  try {
    return { ...options };
  } catch (cause) {
    throw invalidArgument(`${name} cannot be read.`, cause);
  }
}

/** Picks and checks what concerns the call itself; the timeout is always there. */
export function callOptions(options: CallOptions | null | undefined): CallOptions {
  const { signal, timeout } = copyOptions("options", options);
  if (signal != null && !isSignal(signal)) throw invalidArgument("options.signal must be an AbortSignal.");
  if (timeout != null && !(Number.isInteger(timeout) && timeout > 0 && timeout <= maxTimeout)) {
    throw invalidArgument(`options.timeout must be a whole number of milliseconds from 1 to ${maxTimeout}.`);
  }
  return { ...(signal && { signal }), timeout: timeout ?? defaultTimeout };
}

// By what it can do: one from another frame is no instance of this one's class, and what only calls itself a signal, or
// wraps one in a proxy, would throw later.
function isSignal(signal: unknown): boolean {
  try {
    const { aborted, addEventListener } = signal as AbortSignal;
    return typeof aborted === "boolean" && typeof addEventListener === "function";
  } catch {
    return false;
  }
}

/** Measures how much of a call's time is left while it waits for the program. */
export class Clock {
  readonly #options: CallOptions;
  readonly #began = performance.now();

  constructor(options: CallOptions) {
    this.#options = options;
  }

  /** Waits for work, which goes on without the caller, until the signal ends that, or the timeout, which all waits have together. */
  bound<T>(work: Promise<T>): Promise<T> {
    const { signal, timeout } = this.rest();
    if (!signal && timeout === undefined) return work;
    return new Promise((resolve, reject) => {
      const abort = () => reject(aborted(signal!));
      if (signal?.aborted) abort(); // and whatever work comes to is taken
      signal?.addEventListener("abort", abort);
      const timer = timeout === undefined ? undefined : setTimeout(() => reject(timedOut()), timeout);
      work.then(resolve, reject).finally(() => {
        signal?.removeEventListener("abort", abort);
        clearTimeout(timer);
      });
    });
  }

  /** The options for what comes next, with the time that is left. */
  rest(): CallOptions {
    const { signal, timeout } = this.#options;
    if (timeout === undefined) return this.#options;
    return { ...(signal && { signal }), timeout: Math.max(1, Math.round(timeout - (performance.now() - this.#began))) };
  }
}
