// The whole of the public API but for where the other files are, which depends on how the
// loader itself was loaded.

import type { Kii, LoadOptions } from "../types/index.js";
import { ChosenHost } from "./chosenhost.js";
import { Client } from "./client.js";
import type { LoadMain } from "./mainload.js";
import { readOptions, type Files } from "./options.js";
import { renewing } from "./token.js";

export { KiiError } from "./errors.js";

export const version: string = KIIWEB_VERSION;

/** Makes load for a loader that expects the other files where files says, and imports mainhost.mjs by main. */
export function loadFrom(files: Files, main: LoadMain): (options: LoadOptions) => Promise<Kii> {
  return async (options) => {
    const settings = readOptions(options, files);
    return new Client((login, enter) => new ChosenHost(renewing(settings, login, enter), main, login));
  };
}
