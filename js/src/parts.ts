// Loads the parts of the library that are files of their own, because not every page needs them.

import { build } from "./build.js";
import { Clock, defaultTimeout } from "./calls.js";
import type { DebugLog } from "./debug/entry.js";
import { unsupported, type KiiError } from "./errors.js";
import type { EarlyHost } from "./earlyhost.js";
import type { Settings } from "./options.js";
import { watchPolicy } from "./policy.js";
import type { livePush } from "./push.js";
import { ScriptFile } from "./scriptcheck.js";
import type { share } from "./tabs/entry.js";
import { loaded } from "./waiting.js";

interface Part {
  readonly build: string;
}

/** What mainhost.mjs exports: it runs the module where no worker does. */
export interface MainPart extends Part {
  readonly MainHost: typeof EarlyHost;
}

/** What tabs.mjs exports: it shares connections between tabs. */
export interface TabsPart extends Part {
  readonly share: typeof share;
}

/** What push.mjs exports: it keeps push alive over logins. */
export interface PushPart extends Part {
  readonly livePush: typeof livePush;
}

/** What debug.mjs exports: it makes the debug log. */
export interface DebugPart extends Part {
  readonly DebugLog: typeof DebugLog;
}

/** How the loader gets at its parts. */
export interface Parts {
  main(): Promise<MainPart>;
  tabs(): Promise<TabsPart>;
  push(): Promise<PushPart>;
  debug(): Promise<DebugPart>;
}

/** The log that is asked for, which looks on at what the hosts of these settings do from now on. */
export async function logFor(settings: Settings, load: Parts["debug"]): Promise<DebugLog | undefined> {
  if (!settings.debug) return undefined;
  const { DebugLog } = await loaded(new Clock({ timeout: defaultTimeout }), loadPart("debug.mjs", load), () => "debug.mjs", "Try again.");
  const log = new DebugLog(settings.debug);
  settings.config.tap = log.tap;
  return log;
}

/** How long a look at a file that does not start may take, in milliseconds. */
const patience = 10_000;

/** The part that load imports from the file name. The error is UNSUPPORTED, or WASM_LOAD with its why. */
export async function loadPart<P extends Part>(name: string, load: () => Promise<P>): Promise<P> {
  const file = new ScriptFile(name, "", "script-src");
  const policy = watchPolicy();
  let part: P;
  try {
    part = await load();
  } catch (error) {
    throw await explain(error, file, name, policy.violation);
  } finally {
    policy.end();
  }
  if (part.build !== build) throw file.failure("mismatch", `${name} belongs to another build than its loader.`);
  return part;
}

async function explain(
  error: unknown,
  file: ScriptFile,
  name: string,
  violation: () => Promise<string | undefined>,
): Promise<KiiError> {
  if (!globalThis.document && "clients" in globalThis) {
    return unsupported("import(), as in every service worker", 'Import "kiiweb/service-worker" in place of "kiiweb" there.');
  }
  const directive = await violation();
  if (directive) return file.forbidden(directive, name, error);
  if (!(error instanceof TypeError)) return file.failure("mismatch", `${name} is there, but does not run.`, error);
  const url = /\w+:\/\/\S+/.exec(String(error))?.[0]; // most browsers name it, and no more than it
  return url ? file.diagnosis(url, patience, error) : file.failure("network", `${name} did not arrive.`, error);
}
