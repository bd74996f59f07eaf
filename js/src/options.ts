// What load takes, checked before anything is fetched.

import type { DebugEntry, HostOption, LoadOptions, Owner, Site } from "../types/index.js";
import { copyOptions } from "./calls.js";
import type { Tap } from "./debug/tap.js";
import { invalidArgument, KiiError, noBrowser } from "./errors.js";

/** Gives a new token in place of one that the server has refused, or null where there is none. */
export type GetToken = (owner: Owner) => Promise<string | null>;

/** Who gets the debug log: true is the console. */
export type Debug = true | ((entry: DebugEntry) => void);

/** Takes the place of new WebSocket. */
export type Dial = (url: string, subprotocols: string[]) => WebSocket;

/** What the Go program's init takes, and what looks on. */
export interface Config {
  appID: string;
  appKey: string;
  site?: Site;
  baseURL?: string;
  allowInsecure?: boolean;
  getToken?: GetToken;
  /** Where there is a debug log. */
  tap?: Tap;
  /** Where WebSockets are begun before the program asks for them. */
  dial?: Dial;
}

/** Where the files of the library are that the loader needs. */
export interface Files {
  wasm(): string;
  worker(): string;
}

/** What load has settled. */
export interface Settings {
  config: Config;
  wasmURL: string;
  /** Throws where that is not known: a bundler has taken import.meta.url away. */
  workerURL: () => string;
  host: HostOption;
  /** false: nothing is shared with other tabs. */
  tabs?: false;
  getToken?: NonNullable<LoadOptions["getToken"]>;
  debug?: Debug;
}

const hosts: readonly unknown[] = ["auto", "worker", "main"] satisfies HostOption[];
const sites: readonly string[] = ["US", "JP", "SG", "EU"];

/** Checks options; files says where the others are when they do not. */
export function readOptions(options: LoadOptions, files: Files): Settings {
  if (options === null || typeof options !== "object") {
    throw invalidArgument("options must be an object with appID, appKey and site or baseURL.");
  }
  const given: Record<string, unknown> = copyOptions<object>("options", options) as typeof given;
  const { appID, appKey, site, baseURL, wasmURL, workerURL, host = "auto", tabs = true, allowInsecure, getToken, debug = false } = given;
  const config: Config = { appID: text("appID", appID), appKey: text("appKey", appKey), ...cloud(site, baseURL) };
  if (allowInsecure !== undefined) {
    if (typeof allowInsecure !== "boolean") throw invalidArgument("allowInsecure must be true or false.");
    config.allowInsecure = allowInsecure;
  }
  if (typeof tabs !== "boolean") throw invalidArgument("tabs must be true or false.");
  if (getToken !== undefined && typeof getToken !== "function") throw invalidArgument("getToken must be a function.");
  if (typeof debug !== "boolean" && typeof debug !== "function") throw invalidArgument("debug must be true, false or a function.");
  if (!hosts.includes(host)) throw invalidArgument(`host must be one of ${hosts.join(", ")}.`);
  const worker = workerURL === undefined ? undefined : absolute("workerURL", workerURL);
  return {
    config,
    wasmURL: absolute("wasmURL", wasmURL === undefined ? besideLoader(files) : wasmURL),
    workerURL: () => worker ?? absolute("workerURL", files.worker()),
    host: host as HostOption,
    ...(!tabs && { tabs }),
    ...((getToken as object) && { getToken: getToken as NonNullable<Settings["getToken"]> }),
    ...(debug && { debug: debug as Debug }),
  };
}

/** Node.js and its like could fetch no module from beside the loader, which is a file there. */
function besideLoader(files: Files): string {
  if (!globalThis.location && "process" in globalThis) throw noBrowser();
  return files.wasm();
}

/** Tells the apps of an origin apart in what it stores. */
export function storageKey({ appID, site, baseURL }: Config): string {
  return `kiiweb push ${JSON.stringify([site ?? baseURL, appID])}`;
}

/** site may be a region, or the URL of another cloud, which baseURL always is. */
function cloud(site: unknown, baseURL: unknown): Pick<Config, "site" | "baseURL"> {
  if ((site === undefined) === (baseURL === undefined)) throw invalidArgument("One of site and baseURL must be given.");
  if (baseURL !== undefined) return { baseURL: text("baseURL", baseURL) };
  if (sites.includes(site as Site)) return { site: site as Site };
  if (typeof site === "string" && site.includes("://")) return { baseURL: site };
  throw invalidArgument(`site must be one of ${sites.join(", ")}, or the URL of another cloud.`);
}

function text(name: string, value: unknown): string {
  if (typeof value !== "string" || value === "") throw invalidArgument(`${name} must be a string that is not empty.`);
  return value;
}

/** Relative to the page, as in any other place where a page gives a URL; some bundlers (Turbopack) put a path for a file, too. */
function absolute(name: string, url: unknown): string {
  try {
    // Not instanceof: it may come from another frame.
    const given = typeof url === "string" || Object.prototype.toString.call(url) === "[object URL]";
    if (!given) throw invalidArgument(`${name} must be a string or a URL.`);
    return new URL(url as string | URL, globalThis.document?.baseURI ?? globalThis.location?.href).href;
  } catch (cause) {
    throw cause instanceof KiiError ? cause : invalidArgument(`${name} is no URL.`, cause);
  }
}
