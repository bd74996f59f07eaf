// Where the other files are when the loader is a script: beside it.

import type { Files } from "./options.js";
import type { Parts } from "./parts.js";

// Known only while the script runs; in a worker it is the worker's own place.
const script = globalThis.document?.currentScript as HTMLScriptElement | null | undefined;
const base = script?.src || globalThis.location?.href;

export const files: Files = {
  wasm: () => new URL("kiiweb.wasm", base).href,
  worker: () => new URL("worker.js", base).href,
};

export const parts: Parts = {
  main: () => import(new URL("mainhost.mjs", base).href),
  tabs: () => import(new URL("tabs.mjs", base).href),
  push: () => import(new URL("push.mjs", base).href),
  debug: () => import(new URL("debug.mjs", base).href),
};
