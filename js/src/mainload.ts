// Loads what runs the module in the page itself: most pages have it run in a worker, and
// never need that.

import { build } from "./build.js";
import { unsupported, type KiiError } from "./errors.js";
import type { MainHost } from "./mainhost.js";
import { watchPolicy } from "./policy.js";
import { ScriptFile } from "./scriptcheck.js";

/** What mainhost.mjs exports. */
export interface MainModule {
  readonly build: string;
  readonly MainHost: typeof MainHost;
}

export type LoadMain = () => Promise<MainModule>;

/** How long a look at a file that does not start may take, in milliseconds. */
const patience = 10_000;

const file = new ScriptFile("mainhost.mjs", "", "script-src");

/** The error is UNSUPPORTED, or WASM_LOAD with its why. */
export async function loadMain(load: LoadMain): Promise<MainModule> {
  let module: MainModule;
  const policy = watchPolicy();
  try {
    module = await load();
  } catch (error) {
    throw await explain(error, policy.violation);
  } finally {
    policy.end();
  }
  if (module.build !== build) throw file.failure("mismatch", "mainhost.mjs belongs to another build than its loader.");
  return module;
}

async function explain(error: unknown, violation: () => Promise<string | undefined>): Promise<KiiError> {
  if (!globalThis.document && "clients" in globalThis) {
    return unsupported("import(), as in every service worker", 'Import "kiiweb/service-worker" in place of "kiiweb" there.');
  }
  const directive = await violation();
  if (directive) return file.forbidden(directive, "mainhost.mjs", error);
  if (!(error instanceof TypeError)) return file.failure("mismatch", "mainhost.mjs is there, but does not run.", error);
  const url = /\w+:\/\/\S+/.exec(String(error))?.[0]; // most browsers name it, and no more than it
  return url ? file.diagnosis(url, patience, error) : file.failure("network", "mainhost.mjs did not arrive.", error);
}
