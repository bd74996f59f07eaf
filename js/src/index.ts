// The whole of the public API but for where the other files are, which depends on how the
// loader itself was loaded.

import type { Kii, LoadOptions } from "../types/index.js";
import { ChosenHost } from "./chosenhost.js";
import { Client } from "./client.js";
import type { Host } from "./host.js";
import { readOptions, storageKey, type Files } from "./options.js";
import { loadPart, logFor, type Parts } from "./parts.js";
import { TabGate } from "./tabgate.js";
import { renewing } from "./token.js";
import { loaded } from "./waiting.js";

export { KiiError } from "./errors.js";

export const version: string = KIIWEB_VERSION;

/** Makes load for a loader that expects the other files where files says, and imports its parts by parts. */
export function loadFrom(files: Files, parts: Parts): (options: LoadOptions) => Promise<Kii> {
  return async (options) => {
    const settings = readOptions(options, files);
    const log = await logFor(settings, parts.debug);
    return new Client((login, enter) => {
      const own = new ChosenHost(renewing(settings, login, enter), parts.main, login);
      const host = settings.tabs === false ? own : new TabGate(own, settings.config, parts.tabs, login, () => enter(null));
      return log ? log.watch(host) : host;
    }, (clock) => loaded(clock, loadPart("push.mjs", parts.push), () => "push.mjs"), storageKey(settings.config));
  };
}

/** Makes what gives the maker of a host at which nobody is logged in; the arguments are those of loadFrom. It throws where options are wrong. */
export function openFrom(files: Files, parts: Parts): (options: LoadOptions) => () => Promise<Host> {
  return (options) => {
    const { getToken: _, ...settings } = readOptions(options, files);
    return async () => {
      const log = await logFor(settings, parts.debug);
      const own = new ChosenHost(settings, parts.main, () => null);
      return log ? log.watch(own) : own;
    };
  };
}
