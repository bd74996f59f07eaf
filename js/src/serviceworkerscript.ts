// Entry of serviceworker.js, the same for importScripts. A script cannot know where it came from there, so
// kiiweb.wasm is expected beside the service worker's own.

import { KiiError, loadFrom, version } from "./serviceload.js";

const load = loadFrom(() => new URL("kiiweb.wasm", globalThis.location?.href).href);

Object.assign(globalThis, { kiiweb: { load, KiiError, version } });
