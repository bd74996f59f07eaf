// Entry of worker.js, the file of a dedicated worker: the module runs in it, out of reach
// of the page's long tasks and of the throttling of hidden pages' timers.

import { EarlyHost } from "./earlyhost.js";
import { serve, type Port } from "./workerserver.js";

serve(globalThis as unknown as Port, (config, wasmURL, login) => new EarlyHost(config, wasmURL, login));
