// The bridge for apps that keep Kii's own SDK: whoever is logged in there is logged in here.

import type { Kii as KiiClient, LoadOptions, Owner } from "../../types/index.js";
import { loadKii } from "./app.js";
import { KiiThingContext } from "./contexts.js";
import { Kii } from "./kii.js";
import { KiiThing } from "./thing.js";
import { KiiUser } from "./user.js";

/** What is asked of a Kii class, of whatever SDK. */
interface AnyKii {
  getAppID?(): unknown;
  getAppKey?(): unknown;
  getBaseURL?(): unknown;
}

/** What is asked of a KiiUser, KiiThing or KiiThingContext, of whatever SDK. */
interface AnyOwner {
  getAccessToken?(): unknown;
  getID?(): unknown;
  getThingID?(): unknown;
  getAuthenticatedThing?(): AnyOwner;
}

/** Gives a client of kiiweb at which user is logged in. */
export async function attach(user: unknown, options?: Partial<LoadOptions> & { Kii?: unknown }): Promise<KiiClient> {
  const { Kii: given, ...more } = options ?? {};
  const sdk = (given ?? (isOurs(user) ? Kii : (globalThis as { Kii?: unknown }).Kii) ?? Kii) as AnyKii;
  const cloud = { appID: sdk.getAppID?.(), appKey: sdk.getAppKey?.(), baseURL: sdk.getBaseURL?.() };
  const overridden = more.site === undefined ? cloud : { ...cloud, baseURL: undefined };
  const client = await loadKii({ ...overridden, ...more } as LoadOptions);
  try {
    const { token, owner } = loggedIn(user);
    await client.useToken(token as string, owner);
  } catch (error) {
    void client.dispose();
    throw error;
  }
  return client;
}

function isOurs(user: unknown): boolean {
  return user instanceof KiiUser || user instanceof KiiThing || user instanceof KiiThingContext;
}

/** What is missing is found out, and told, by useToken. */
function loggedIn(user: unknown): { token: unknown; owner: Owner } {
  let who = (user ?? {}) as AnyOwner;
  if (typeof who.getAuthenticatedThing === "function") who = who.getAuthenticatedThing();
  const token = who.getAccessToken?.();
  if (typeof who.getThingID === "function") return { token, owner: { thingID: who.getThingID() as string } };
  return { token, owner: { userID: who.getID?.() as string } };
}
