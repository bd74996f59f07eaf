// Entry of push.mjs, which the loader imports for startPush.

export { build } from "./build.js";
export { livePush } from "./push.js";
