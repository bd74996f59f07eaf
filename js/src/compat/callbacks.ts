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
  const promise = Promise.resolve()
    .then(work)
    .then(
      (value) => {
        call(callbacks, "success", () => success(value));
        return value;
      },
      (error: Error) => {
        call(callbacks, "failure", () => failure(error));
        throw error;
      },
    );
  if (typeof callbacks?.failure === "function") promise.catch(() => {});
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

function call(callbacks: Callbacks, name: "success" | "failure", args: () => unknown[]): void {
  try {
    const callback = callbacks?.[name];
    if (typeof callback === "function") callback.apply(callbacks, args());
  } catch (error) {
    report(error);
  }
}
