// Entry of kiiweb.mjs.

import { loadFrom } from "./index.js";
import type { MainModule } from "./mainload.js";
import { openFrom } from "./rawhost.js";

export { KiiError, version } from "./index.js";

// In these words bundlers recognise what they have to ship.
const files = {
  wasm: () => new URL("kiiweb.wasm", import.meta.url).href,
  worker: () => new URL("worker.js", import.meta.url).href,
};
const main = (): Promise<MainModule> => import("./mainhost.mjs");

export const load = loadFrom(files, main);

/** For compat.mjs alone. @internal */
export const openHost = openFrom(files, main);
