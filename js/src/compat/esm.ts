// Entry of compat.mjs, which leaves the loader to kiiweb.mjs beside it.

import * as loader from "./kiiweb.mjs"; // by name, what one of another build lacks would be a SyntaxError
import { build } from "../build.js";
import { wasmLoad } from "../errors.js";
import { useLoader } from "./app.js";

if (loader.build !== build) {
  throw wasmLoad("mismatch", "compat.mjs belongs to another build than kiiweb.mjs.", {
    remedy: "Deploy compat.mjs and kiiweb.mjs of one build together, and clear caches between.",
  });
}
useLoader({ load: loader.load, open: loader.openHost });

export * from "./index.js";
