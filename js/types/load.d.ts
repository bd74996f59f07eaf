// How a client is made.

import type { DebugEntry } from "./debug.js";
import type { Kii } from "./kii.js";
import type { Owner } from "./owners.js";

/** A region of Kii Cloud. */
export type Site = "US" | "JP" | "SG" | "EU";

/** Where the WebAssembly module runs; see `LoadOptions.host`. */
export type HostOption = "auto" | "worker" | "main";

/** What `load` takes beside the cloud. */
interface CommonLoadOptions {
  /** The app's id: X-Kii-AppID. Visible ASCII. */
  appID: string;
  /** The app's key, which is no secret: X-Kii-AppKey. Visible ASCII. */
  appKey: string;
  /**
   * Where kiiweb.wasm is. When absent it is expected beside the loader.
   */
  wasmURL?: string | URL | undefined;
  /**
   * Where worker.js is, which has to be of the page's origin. When absent it is expected beside the
   * loader. Bundlers know the file as "kiiweb/worker".
   */
  workerURL?: string | URL | undefined;
  /**
   * Where the module runs. "worker": in a dedicated worker, so that it starts without holding the page
   * up, and neither the page's long tasks nor the slowing down of hidden pages' timers reach the
   * connection; where no worker starts, calls reject with UNSUPPORTED or WASM_LOAD. "main": in the
   * thread that called load. "auto", which is meant when absent: in a worker, and where none starts, or
   * may not have the module, as "main"; `Kii.host` and `Kii.hostReason` tell.
   *
   * A worker is under the Content-Security-Policy that worker.js was served with, and starts if the
   * page's own allows it in worker-src.
   */
  host?: HostOption | undefined;
  /**
   * Whether the tabs of one user (or thing) in this browser share what is to be had only once, which is meant when
   * absent: one of them has the connection and gives the others what arrives and what they ask for.
   * `Kii.tabs` tells. They find each other by appID, site or baseURL and the owner's id, over Web Locks and
   * BroadcastChannel; where those are missing (pages over http:// from elsewhere) each tab connects by itself, and
   * the newest displaces the one before. false: they do so everywhere.
   */
  tabs?: boolean | undefined;
  /**
   * Lets credentials travel over http:// and ws:// to other hosts than this machine. For
   * networks that are trusted as a whole.
   */
  allowInsecure?: boolean | undefined;
  /**
   * Asked for a new token of the owner who is logged in when the server has refused the one in force, for
   * a call or for a connection that needs a new endpoint; then the call is sent with it once more. Calls
   * that need one at the same time share one request, which has 30 seconds. `null` says that there is
   * none: the call rejects with UNAUTHORIZED, and a connection fails. So does what getToken throws, as the
   * `cause` of an UNAUTHORIZED that is `retryable`: a connection asks again after a while. When absent, a
   * login lasts as long as its token.
   */
  getToken?: ((owner: Owner) => string | null | Promise<string | null>) | undefined;
  /**
   * A log of what the client does, for people who look for a mistake: each packet with what stands in its header, each change
   * of state with its cause and how long it is until the next attempt, the calls, the requests with their status, and what
   * this tab says to the others. true: to the console, as `console.debug`, which browsers show at the level "Verbose". A
   * function gets each entry, soon after it was made and in order; what it throws is reported as an uncaught error. No entry holds a
   * password, a token or the content of a message. `load` fetches debug.mjs from beside the loader for it; without the option, or
   * with false, nothing is fetched, and nothing is in the way of what passes. A service worker has no such log: there, true and a function reject
   * with UNSUPPORTED.
   */
  debug?: boolean | ((entry: DebugEntry) => void) | undefined;
}

/**
 * Which app of which cloud: a region of Kii Cloud, or the URL of any compatible REST API, such
 * as "http://localhost:8080/api".
 */
export type LoadOptions = CommonLoadOptions &
  ({ site: Site | `${"http" | "https"}://${string}`; baseURL?: undefined } | { baseURL: string; site?: undefined });

/**
 * Makes a client. It validates the options and fetches nothing: the WebAssembly module
 * is loaded by the first call that needs it. Each client runs a module of its own, in a worker of
 * its own where it runs in one. On a server, in Node.js, it rejects with UNSUPPORTED: servers use the Go library.
 */
export function load(options: LoadOptions): Promise<Kii>;

/** The version of this library. */
export const version: string;
