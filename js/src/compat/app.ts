// The app that Kii.initializeWithSite has chosen, and who its current user is: Kii's API
// keeps both for the whole page.

import type { Kii, LoadOptions } from "../../types/index.js";
import { copyOptions } from "../calls.js";
import type { Host } from "../host.js";
import { currentUserChanged } from "./access.js";
import { RawHost } from "./rawhost.js";

/** What the loader gives: where the other files are depends on how it was loaded itself. */
export interface Loader {
  /** Gives what makes a place where the module runs, at which nobody is logged in. Wrong options throw. */
  open(options: LoadOptions): () => Promise<Host>;
  load(options: LoadOptions): Promise<Kii>;
}

interface App {
  readonly appID: string;
  readonly appKey: string;
  readonly site: string;
  readonly host: RawHost;
}

let loader: Loader;
let app: App | undefined;

export function useLoader(given: Loader): void {
  loader = given;
}

export function loadKii(options: LoadOptions): Promise<Kii> {
  return loader.load(options);
}

/** Takes another app in place of the one before. more is what load takes beside that. */
export function initialize(appID: string, appKey: string, site: string, more?: object): void {
  const host = new RawHost(loader.open({ ...copyOptions("options", more), appID, appKey, site: undefined, baseURL: site }));
  app?.host.retire();
  app = { appID, appKey, site, host };
  currentUserChanged(null);
}

export function chosen(): App | undefined {
  return app;
}

/** The app that calls are about. */
export function needed(): App {
  if (!app) throw new Error("Kii.initializeWithSite(appID, appKey, site) must be called first.");
  return app;
}
