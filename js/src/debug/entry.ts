// Entry of debug.mjs, which the loader imports for the option debug.

export { build } from "../build.js";
export { DebugLog } from "./log.js";
