// Entry of kiiweb.mjs.

import { loadFrom, openFrom } from "./index.js";
import type { Parts } from "./parts.js";

export { KiiError, version } from "./index.js";

// In these words bundlers recognise what they have to ship.
const files = {
  wasm: () => new URL("kiiweb.wasm", import.meta.url).href,
  worker: () => new URL("worker.js", import.meta.url).href,
};
const parts: Parts = { main: () => import("./mainhost.mjs"), tabs: () => import("./tabs.mjs"), push: () => import("./push.mjs"), debug: () => import("./debug.mjs") };

export const load = loadFrom(files, parts);

/** For compat.mjs alone. @internal */
export { build } from "./build.js";

/** For compat.mjs alone. @internal */
export const openHost = openFrom(files, parts);
