// What the build puts in place of these names, and what bundling makes of require.

/** The version of the npm package. */
declare const KIIWEB_VERSION: string;
/** Names the build: another one of what its files are made of has another name. */
declare const KIIWEB_BUILD: string;
/** The content id that kiiweb.wasm carries; "" accepts any. */
declare const KIIWEB_MODULE: string;
/** Bundled like an import, but evaluated when it is called. */
declare function require(path: "../../wasm_exec.js"): unknown;
/** Other files of js/dist, beside the loader. */
declare module "*/mainhost.mjs" {
  export const build: string;
  export const MainHost: typeof import("./earlyhost.js").EarlyHost;
}
declare module "*/tabs.mjs" {
  export const build: string;
  export const share: typeof import("./tabs/entry.js").share;
}
declare module "*/push.mjs" {
  export const build: string;
  export const livePush: typeof import("./push.js").livePush;
}
declare module "*/debug.mjs" {
  export const build: string;
  export const DebugLog: typeof import("./debug/entry.js").DebugLog;
}
/** The loader as an ES module, beside compat.mjs. */
declare module "*/kiiweb.mjs" {
  export const build: string;
  export const load: typeof import("./esm.js").load;
  export const openHost: typeof import("./esm.js").openHost;
}
