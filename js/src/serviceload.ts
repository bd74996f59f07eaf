// load for service workers: they may neither import() nor start workers, so the module runs right there.

import type { Kii, LoadOptions } from "../types/index.js";
import { Client } from "./client.js";
import { unsupported } from "./errors.js";
import { MainHost } from "./mainhost.js";
import { readOptions } from "./options.js";
import { livePush } from "./push.js";
import { renewing } from "./token.js";

export { KiiError } from "./errors.js";

export const version: string = KIIWEB_VERSION;

/** Makes kiiweb's own load for a file that expects the module where wasm says. */
export function loadFrom(wasm: () => string): (options: LoadOptions) => Promise<Kii> {
  return async (options) => {
    const settings = readOptions(options, { wasm, worker: wasm });
    const { wasmURL, host, debug } = settings;
    if (debug) throw unsupported("debug log", "Leave debug away.");
    const noWorker = host === "main" ? null : unsupported("Worker");
    if (host === "worker") throw noWorker;
    return new Client((login, enter) => new MainHost(renewing(settings, login, enter).config, wasmURL, login, noWorker), async () => ({ build: version, livePush })); // it is in this file
  };
}
