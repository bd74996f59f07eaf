// Entry of mainhost.mjs, which the loader imports where the module is to run in the page.

export { build } from "./build.js";
export { EarlyHost as MainHost } from "./earlyhost.js";
