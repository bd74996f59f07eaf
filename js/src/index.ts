// The whole of the public API but for where the module is, which depends on how the
// loader itself was loaded.

import type { Kii, LoadOptions } from "../types/index.js";
import { Client } from "./client.js";
import { MainHost } from "./mainhost.js";
import { readOptions } from "./options.js";

export { KiiError } from "./errors.js";

export const version: string = KIIWEB_VERSION;

/** Makes load for a loader that expects the module at defaultURL. */
export function loadFrom(defaultURL: () => string): (options: LoadOptions) => Promise<Kii> {
  return async (options) => {
    const { config, wasmURL } = readOptions(options, defaultURL);
    return new Client((login) => new MainHost(config, wasmURL, login));
  };
}
