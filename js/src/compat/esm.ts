// Entry of compat.mjs, which leaves the loader to kiiweb.mjs beside it.

import { load, openHost } from "./kiiweb.mjs";
import { useLoader } from "./app.js";

useLoader({ load, open: openHost });

export * from "./index.js";
