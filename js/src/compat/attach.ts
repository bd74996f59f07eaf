// The bridge for apps that keep Kii's own SDK: whoever is logged in there is logged in here.

import type { Kii as KiiClient, LoadOptions, Owner } from "../../types/index.js";
import { copyOptions } from "../calls.js";
import { invalidArgument } from "../errors.js";
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
  const { Kii: given, ...more } = copyOptions<Partial<LoadOptions> & { Kii?: unknown }>("options", options);
  const { cloud, token, owner } = read(user, given);
  const overridden = more.site === undefined ? cloud : { ...cloud, baseURL: undefined };
  const client = await loadKii({ ...overridden, ...more } as LoadOptions);
  try {
    await client.useToken(token as string, owner);
  } catch (error) {
    void client.dispose();
    throw error;
  }
  return client;
}

/** What an SDK, or what passes for one, tells of its app and user. Whatever is asked may throw. */
function read(user: unknown, given: unknown) {
  try {
    const sdk = (given ?? (isOurs(user) ? Kii : (globalThis as { Kii?: unknown }).Kii) ?? Kii) as AnyKii;
    return { cloud: { appID: sdk.getAppID?.(), appKey: sdk.getAppKey?.(), baseURL: sdk.getBaseURL?.() }, ...loggedIn(user) };
  } catch (cause) {
    throw invalidArgument("The user, or options.Kii, cannot be read as those of a Kii SDK.", cause);
  }
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
