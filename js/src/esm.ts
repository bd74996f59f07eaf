// Entry of kiiweb.mjs.

import { loadFrom } from "./index.js";

export { KiiError, version } from "./index.js";

// In these words bundlers recognise what they have to ship.
export const load = loadFrom(
  {
    wasm: () => new URL("kiiweb.wasm", import.meta.url).href,
    worker: () => new URL("worker.js", import.meta.url).href,
  },
  () => import("./mainhost.mjs"),
);
