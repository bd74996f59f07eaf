// wasm_exec.js and the Go program talk through global names. They are lent for the
// moments in which that happens, all of them synchronous, so that no other code of the
// page meets them or loses its own.

const names = ["Go", "fs", "process", "path"] as const;

/** The names that wasm_exec.js sets. */
export type Globals = { [name in (typeof names)[number]]?: unknown };

/** Runs work, which must not be async, with lent in place of the page's globals. */
export function withGlobals<T>(lent: Globals, work: () => T): T {
  const page = names.map((name) => Object.getOwnPropertyDescriptor(globalThis, name));
  try {
    for (const name of names) lend(name, lent[name]);
    return work();
  } finally {
    names.forEach((name, i) => giveBack(name, page[i]));
  }
}

/** The globals as they are now. */
export function currentGlobals(): Globals {
  return Object.fromEntries(names.map((name) => [name, Reflect.get(globalThis, name)]));
}

function lend(name: string, value: unknown): void {
  // What a script declared with var cannot be redefined, but assigned.
  const descriptor = { value, configurable: true, enumerable: false, writable: true };
  if (!Reflect.defineProperty(globalThis, name, descriptor)) Reflect.set(globalThis, name, value);
}

function giveBack(name: string, before: PropertyDescriptor | undefined): void {
  if (!before) Reflect.deleteProperty(globalThis, name);
  else if (!Reflect.defineProperty(globalThis, name, before)) Reflect.set(globalThis, name, before.value);
}
