// Entry of push.mjs, which the loader imports for startPush.

import type { LiveConnection } from "./connection.js";
import { livePush as make } from "./push.js";
import * as storage from "./storage.js";

export { build } from "./build.js";
export const livePush = (Base: typeof LiveConnection) => make(Base, storage);
