// What <script src="kiiweb.js"></script> adds to a page. Use it with
// /// <reference types="kiiweb/global" /> or by naming it in "types" of tsconfig.json.

import type * as api from "./index.js";

declare global {
  interface KiiwebGlobal extends Pick<typeof api, "load" | "KiiError" | "version"> {}
  var kiiweb: KiiwebGlobal;
}
