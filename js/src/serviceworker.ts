// Entry of serviceworker.mjs, the library in one file for service workers that are modules.

import { loadFrom } from "./serviceload.js";

export { KiiError, version } from "./serviceload.js";

export const load = loadFrom(() => new URL("kiiweb.wasm", import.meta.url).href);
