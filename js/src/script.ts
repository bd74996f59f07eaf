// Entry of kiiweb.js, for <script src>. The other files are looked for beside the script.

import { KiiError, loadFrom, version } from "./index.js";

// Known only while the script runs; in a worker it is the worker's own place.
const script = globalThis.document?.currentScript as HTMLScriptElement | null | undefined;
const base = script?.src || globalThis.location?.href;

const load = loadFrom(
  {
    wasm: () => new URL("kiiweb.wasm", base).href,
    worker: () => new URL("worker.js", base).href,
  },
  () => import(new URL("mainhost.mjs", base).href),
);

Object.assign(globalThis, { kiiweb: { load, KiiError, version } });
