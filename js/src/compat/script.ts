// Entry of compat.js, for <script src>: the loader, and the globals of Kii's JavaScript SDK.

import { KiiError, loadFrom, openFrom, version } from "../index.js";
import { files, parts } from "../scriptfiles.js";
import { useLoader } from "./app.js";
import * as compat from "./index.js";

const { attach, ...classes } = compat;
const load = loadFrom(files, parts);
useLoader({ load, open: openFrom(files, parts) });

const page = globalThis as { Kii?: unknown; kiiweb?: object };
Object.assign(page, { kiiweb: { load, KiiError, version, ...page.kiiweb, attach } });
// A page that has Kii's own SDK keeps it whole, and attaches kiiweb to it.
if (page.Kii === undefined) Object.assign(page, classes);
