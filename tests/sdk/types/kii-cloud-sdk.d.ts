// What @types/kii-cloud-sdk, written for version 2.4.6 in a script tag, lacks or says
// otherwise than 2.4.19 from npm does:
//
// - It declares globals and no module. From npm the SDK is a module with create(), which
//   makes a whole SDK, with a current user and a site of its own.
// - KiiSite is an enum there; it is an object of URLs, and every URL is a site.
// - initialize… took options for analytics; there are none any more.
// - The members below are missing there.
/// <reference types="kii-cloud-sdk" />

declare namespace KiiCloud {
  interface KiiAppAdminContext {
    getAccessToken(): string;
  }

  interface KiiThing {
    registerOwnerWithPassword<T extends KiiUser>(owner: T, password: string, callbacks?: SdkCallbacks): Promise<[KiiThing, T]>;
    updatePassword(newPassword: string, callbacks?: SdkCallbacks): Promise<KiiThing>;
  }

  interface KiiPushMessageBuilder {
    apnsMutableContent(mutableContent: number): KiiPushMessageBuilder;
  }

  interface KiiPushInstallation {
    installApns(deviceToken: string, development: boolean, callbacks?: SdkCallbacks): Promise<{ installationID: string }>;
  }

  interface KiiPushSubscription {
    getSubscriber(): KiiUser | KiiThing;
  }
}

/** The two functions that every call takes beside giving a Promise. */
interface SdkCallbacks {
  success(...args: any[]): any;
  failure(...args: any[]): any;
}

/** What the SDK rejects with: an Error that names the object it is about. */
interface SdkError extends Error {
  target?: unknown;
}

type SdkKii = Omit<typeof KiiCloud.Kii, "initializeWithSite" | "initialize" | "prototype"> & {
  initializeWithSite(appID: string, appKey: string, site: string): void;
  getBaseURL(): string;
  authenticateAsAdminWithToken(token: string): KiiCloud.KiiAppAdminContext;
  getCurrentUser(): KiiCloud.KiiUser | null;
  loggedIn(): boolean;
  logOut(): void;
  setAdditionalHeaders(headers: Record<string, string> | null): void;
};

interface SdkErrorParser {
  parse(error: Error | string): { status: number; code: string | null; message: string } | null;
}

/** One SDK, as create() makes it. */
interface Sdk {
  Kii: SdkKii;
  KiiSite: Record<"US" | "JP" | "SG" | "EU", string>;
  KiiErrorParser: SdkErrorParser;
  KiiBucket: typeof KiiCloud.KiiBucket;
  KiiObject: typeof KiiCloud.KiiObject;
  KiiPushInstallation: typeof KiiCloud.KiiPushInstallation;
  KiiPushMessageBuilder: typeof KiiCloud.KiiPushMessageBuilder;
  KiiPushSubscription: typeof KiiCloud.KiiPushSubscription;
  KiiQuery: typeof KiiCloud.KiiQuery;
  KiiClause: typeof KiiCloud.KiiClause;
  KiiThing: typeof KiiCloud.KiiThing & {
    thingWithID(thingID: string): KiiCloud.KiiThing;
  };
  KiiThingContext: typeof KiiCloud.KiiThingContext;
  KiiTopic: typeof KiiCloud.KiiTopic;
  KiiUser: typeof KiiCloud.KiiUser;
  KiiUserBuilder: typeof KiiCloud.KiiUserBuilder;
}

declare module "kii-cloud-sdk" {
  const sdk: {
    create(): Sdk;
    exportedClasses: string[];
  };
  export default sdk;
}
