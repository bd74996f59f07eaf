// The clouds that the test was given: what each printed when it was ready.

import { strict as assert } from "node:assert";

/** The ready line of one local cloud. */
export interface Ready {
  api: string;
  https: string;
  appID: string;
  appKey: string;
  clientID: string;
  clientSecret: string;
}

const given = process.env["KIIWEB_CLOUDS"];
assert.ok(given, "KIIWEB_CLOUDS is not set: run these tests with go test ./tests/sdk");

/**
 * main has endpoints at once, late gets them ready while the SDK asks, never not before
 * the tests are over.
 */
export const clouds: Record<"main" | "late" | "never", Ready> = JSON.parse(given);

/** How long anything may take that has to happen, in milliseconds: for slow machines. */
export const patience = 60_000;

let names = 0;

/** A name that no other test has. */
export function unique(what: string): string {
  names++;
  return `${what}-${process.pid}-${names}`;
}

/** A telephone number that no other test has. */
export function uniquePhone(): string {
  names++;
  return `+81${String(process.pid).padStart(7, "0")}${String(names).padStart(4, "0")}`;
}

/** Gives what the promise gives, or fails with a sentence when that takes too long. */
export async function within<T>(what: string, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} did not happen within ${patience / 1000} s`)), patience);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Asks again and again until the answer is yes. */
export async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + patience;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`${what}: not within ${patience / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
