// Promises, and the callbacks { success, failure } that Kii's API takes beside them.

import { report } from "../report.js";

/** What a caller gave for callbacks: anything. */
export type Callbacks = { success?: unknown; failure?: unknown } | null | undefined;

/**
 * Does work and gives its promise, in front of which the callback is called with what success
 * or failure make of the outcome. What a callback throws is an uncaught error of the page. A
 * failure that was called back is no unhandled rejection as well.
 */
export function deliver<T>(
  work: () => Promise<T>,
  callbacks: Callbacks,
  success: (value: T) => unknown[],
  failure: (error: Error) => unknown[] = (error) => [error],
): Promise<T> {
  const [succeeded, refused] = [read(callbacks, "success"), read(callbacks, "failure")];
  // At once: whoever is logged out in the next line was logged in when the call was made.
  const promise = new Promise<T>((resolve) => resolve(work())).then(
    (value) => {
      call(succeeded, callbacks, () => success(value));
      return value;
    },
    (error: Error) => {
      call(refused, callbacks, () => failure(error));
      throw error;
    },
  );
  if (refused) promise.catch(() => {});
  return promise;
}

/** deliver for work that gives a list, whose elements success takes one by one. */
export function deliverList<T extends unknown[]>(
  work: () => Promise<T>,
  callbacks: Callbacks,
  failure?: (error: Error) => unknown[],
): Promise<T> {
  return deliver(work, callbacks, (list) => list, failure);
}

type Callback = (...args: unknown[]) => unknown;

function read(callbacks: Callbacks, name: "success" | "failure"): Callback | undefined {
  try {
    const callback = callbacks?.[name];
    return typeof callback === "function" ? (callback as Callback) : undefined;
  } catch (error) {
    report(error);
    return undefined;
  }
}

function call(callback: Callback | undefined, callbacks: Callbacks, args: () => unknown[]): void {
  try {
    callback?.apply(callbacks, args());
  } catch (error) {
    report(error);
  }
}
