import { byCurrentUser, currentHolder, currentUserChanged } from "./access.js";
import { chosen, initialize } from "./app.js";
import type { KiiBucket } from "./bucket.js";
import type { Callbacks } from "./callbacks.js";
import {
  authenticateAsAppAdmin,
  authenticateAsThing,
  authenticateAsThingWithToken,
  KiiAppAdminContext,
  type KiiThingContext,
} from "./contexts.js";
import { mistake } from "./errors.js";
import { setTokenLifetime, tokenLifetime } from "./lifetime.js";
import { bucketOf, listTopics, topicOf } from "./scope.js";
import { KiiSite } from "./site.js";
import type { KiiTopic } from "./topic.js";
import type { KiiUser } from "./user.js";

/** The app, and what is the app's. */
export class Kii {
  static initialize(appID: string, appKey: string, options?: object): void {
    initialize(appID, appKey, KiiSite.US, options);
  }

  static initializeWithSite(appID: string, appKey: string, site: string, options?: object): void {
    initialize(appID, appKey, site, options);
  }

  static getAppID(): string | undefined {
    return chosen()?.appID;
  }

  static getAppKey(): string | undefined {
    return chosen()?.appKey;
  }

  static getBaseURL(): string | undefined {
    return chosen()?.site;
  }

  static getSDKVersion(): string {
    return KIIWEB_VERSION;
  }

  static getBuildNumber(): string {
    return "1";
  }

  static getCurrentUser(): KiiUser | null {
    return currentHolder() as KiiUser | null;
  }

  static loggedIn(): boolean {
    return currentHolder() !== null;
  }

  static logOut(): void {
    currentUserChanged(null);
  }

  static setAccessTokenExpiration(expiresIn: number): void {
    setTokenLifetime(expiresIn);
  }

  static getAccessTokenExpiration(): number {
    return tokenLifetime();
  }

  static bucketWithName(bucketName: string): KiiBucket {
    return bucketOf([], bucketName);
  }

  static topicWithName(topicName: string): KiiTopic {
    return topicOf([], topicName, byCurrentUser);
  }

  static listTopics(callbacks?: Callbacks, paginationKey?: string): Promise<[KiiTopic[], string | null]> {
    return listTopics(() => [], byCurrentUser, Kii, callbacks, paginationKey);
  }

  static authenticateAsThing(vendorThingID: string, password: string, callbacks?: Callbacks): Promise<KiiThingContext> {
    return authenticateAsThing(vendorThingID, password, callbacks);
  }

  static authenticateAsThingWithToken(thingID: string, token: string, callbacks?: Callbacks): Promise<KiiThingContext> {
    return authenticateAsThingWithToken(thingID, token, callbacks);
  }

  static authenticateAsAppAdmin(clientId: string, clientSecret: string, callbacks?: Callbacks): Promise<KiiAppAdminContext> {
    return authenticateAsAppAdmin(clientId, clientSecret, callbacks);
  }

  static authenticateAsAdminWithToken(token: string): KiiAppAdminContext {
    if (typeof token !== "string" || token === "") throw mistake("InvalidArgument: token should not null or empty");
    return new KiiAppAdminContext("admin", token);
  }
}
