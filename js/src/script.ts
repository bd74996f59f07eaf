// Entry of kiiweb.js, for <script src>.

import { KiiError, loadFrom, version } from "./index.js";
import { files, parts } from "./scriptfiles.js";

Object.assign(globalThis, { kiiweb: { load: loadFrom(files, parts), KiiError, version } });
