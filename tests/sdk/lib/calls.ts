// Counts the calls that tests make of the SDK, and sees to it that each settles.

import sdk from "kii-cloud-sdk";
import { appendFileSync } from "node:fs";
import { within } from "./cloud.js";

/** How often a call was made in each of the two styles. */
interface Count {
  promise: number;
  callback: number;
}

const counts = new Map<string, Count>();
let depth = 0; // of calls that the SDK makes of itself

/** Makes an SDK whose asynchronous calls are counted and have a deadline. */
export function countedSdk(): Sdk {
  const made = sdk.create();
  const classes = made as unknown as Record<string, unknown>;
  for (const name of sdk.exportedClasses) {
    const klass = classes[name];
    if (typeof klass !== "function") continue;
    wrapAll(name, klass as unknown as Record<string, unknown>);
    wrapAll(name, klass.prototype as Record<string, unknown>);
  }
  return made;
}

function wrapAll(className: string, holder: Record<string, unknown>): void {
  for (const key of Object.keys(holder)) {
    const method = holder[key];
    if (typeof method !== "function" || key.startsWith("_") || key === "constructor" || isClass(method)) continue;
    holder[key] = counted(`${className}.${key}`, method as (...args: unknown[]) => unknown);
  }
}

function isClass(f: object): boolean {
  const prototype = (f as { prototype?: object }).prototype;
  return prototype !== undefined && Object.keys(prototype).length > 0;
}

function counted(name: string, method: (...args: unknown[]) => unknown) {
  return function (this: unknown, ...args: unknown[]): unknown {
    depth++;
    let result: unknown;
    try {
      result = method.apply(this, args);
    } finally {
      depth--;
    }
    if (depth > 0 || !(result instanceof Promise)) return result;
    const count = counts.get(name) ?? { promise: 0, callback: 0 };
    counts.set(name, count);
    count[args.some(isCallbacks) ? "callback" : "promise"]++;
    return within(`the end of ${name}`, result);
  };
}

function isCallbacks(arg: unknown): boolean {
  return typeof arg === "object" && arg !== null && typeof (arg as SdkCallbacks).success === "function";
}

process.on("exit", () => {
  const file = process.env["KIIWEB_CALLS"];
  if (file) appendFileSync(file, JSON.stringify(Object.fromEntries(counts)) + "\n");
});
