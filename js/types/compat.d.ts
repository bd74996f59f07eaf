// The public types of kiiweb/compat: the classes of Kii's JavaScript SDK, as far as they concern
// users, things, topics and push over MQTT. Code that was written for that SDK runs unchanged.
// Every asynchronous method gives a Promise, and takes callbacks beside it.
//
// Errors are Errors whose message is that of Kii's SDK, and whose target names the object that they
// are about. Where kiiweb has an error of its own behind it, cause is that KiiError.

import type { Installation, Kii as KiiClient, LoadOptions, MqttEndpoint } from "./index.js";

/** What a call fails with. */
export interface KiiCompatError extends Error {
  /** The object whose method was called, where there is one. */
  target?: unknown;
}

/** The last argument of most methods: success gets what the Promise gives, a list's elements one by one. */
export interface Callbacks<S extends unknown[], F extends unknown[] = [error: KiiCompatError]> {
  success?(...args: S): unknown;
  failure?(...args: F): unknown;
}

/** Failures of users' calls are told with the user and the error's message. */
type UserCallbacks = Callbacks<[user: KiiUser], [user: KiiUser, message: string]>;

type TopicList = [topics: KiiTopic[], nextPaginationKey: string | null];

/** The regions of Kii Cloud. Any other REST API's URL is a site, too: "http://localhost:8080/api". */
export const KiiSite: {
  readonly US: "https://api.kii.com/api";
  readonly JP: "https://api-jp.kii.com/api";
  readonly SG: "https://api-sg.kii.com/api";
  readonly EU: "https://api-eu.kii.com/api";
};

/** What `load` of kiiweb takes beside the app and its site. */
export type InitializeOptions = Pick<LoadOptions, "wasmURL" | "workerURL" | "host" | "allowInsecure" | "debug">;

/** The app, and what is the app's. */
export class Kii {
  /** Chooses the app of the US region. Nobody is logged in afterwards. */
  static initialize(appID: string, appKey: string, options?: InitializeOptions): void;
  /** Chooses the app. Nobody is logged in afterwards. Throws a KiiError where an argument is wrong. */
  static initializeWithSite(appID: string, appKey: string, site: string, options?: InitializeOptions): void;
  static getAppID(): string | undefined;
  static getAppKey(): string | undefined;
  /** The URL of the REST API. */
  static getBaseURL(): string | undefined;
  /** The version of kiiweb. */
  static getSDKVersion(): string;
  static getBuildNumber(): string;
  static getCurrentUser(): KiiUser | null;
  static loggedIn(): boolean;
  /** Forgets the current user; no server is told. */
  static logOut(): void;
  /** How long the tokens of logins to come are to live, in seconds; 0 leaves that to the server. */
  static setAccessTokenExpiration(expiresIn: number): void;
  static getAccessTokenExpiration(): number;
  static bucketWithName(bucketName: string): KiiBucket;
  static topicWithName(topicName: string): KiiTopic;
  static listTopics(callbacks?: Callbacks<TopicList>, paginationKey?: string): Promise<TopicList>;
  static authenticateAsThing(
    vendorThingID: string,
    password: string,
    callbacks?: Callbacks<[context: KiiThingContext]>,
  ): Promise<KiiThingContext>;
  /** Asks nobody whether the token is good. */
  static authenticateAsThingWithToken(
    thingID: string,
    token: string,
    callbacks?: Callbacks<[context: KiiThingContext]>,
  ): Promise<KiiThingContext>;
  static authenticateAsAppAdmin(
    clientId: string,
    clientSecret: string,
    callbacks?: Callbacks<[context: KiiAppAdminContext], [message: string, statusCode: number]>,
  ): Promise<KiiAppAdminContext>;
  static authenticateAsAdminWithToken(token: string): KiiAppAdminContext;
}

/** A user. What it is called and its fields are what was set or fetched last. */
export class KiiUser {
  /** The current user: the one who registered or logged in last, and always the same object. */
  static getCurrentUser(): KiiUser | null;
  static loggedIn(): boolean;
  /** Forgets the current user; no server is told. */
  static logOut(): void;
  static userWithUsername(username: string, password: string): KiiUser;
  static userWithEmailAddress(emailAddress: string, password: string): KiiUser;
  static userWithPhoneNumber(phoneNumber: string, password: string): KiiUser;
  static userWithPhoneNumberAndUsername(phoneNumber: string, username: string, password: string): KiiUser;
  static userWithEmailAddressAndUsername(emailAddress: string, username: string, password: string): KiiUser;
  static userWithEmailAddressAndPhoneNumber(emailAddress: string, phoneNumber: string, password: string): KiiUser;
  static userWithCredentials(emailAddress: string, phoneNumber: string, username: string, password: string): KiiUser;
  static userWithID(userID: string): KiiUser;
  static userWithURI(uri: string): KiiUser;
  /** Logs in by user name, e-mail address or phone number. The user before stays when this fails. */
  static authenticate(userIdentifier: string, password: string, callbacks?: UserCallbacks): Promise<KiiUser>;
  /** Logs in with a token that was kept, and fetches whose it is. */
  static authenticateWithToken(accessToken: string, callbacks?: UserCallbacks, expiresAt?: Date): Promise<KiiUser>;
  /** Creates a user without name and password, and logs in. */
  static registerAsPseudoUser(
    callbacks?: Callbacks<[user: KiiUser], [user: null, message: string]>,
    userFields?: object,
  ): Promise<KiiUser>;
  /** Creates the user, and logs in. */
  register(callbacks?: UserCallbacks): Promise<KiiUser>;
  /** Fetches the fields that the server has. */
  refresh(callbacks?: UserCallbacks): Promise<KiiUser>;
  getID(): string;
  getUUID(): string;
  getUsername(): string;
  getDisplayName(): string;
  setDisplayName(value: string): void;
  getCountry(): string;
  setCountry(value: string): void;
  getLocale(): string;
  setLocale(value: string): void;
  getEmailAddress(): string;
  getPendingEmailAddress(): string;
  getEmailVerified(): boolean;
  getPhoneNumber(): string;
  getPendingPhoneNumber(): string;
  getPhoneVerified(): boolean;
  getCreated(): any;
  getModified(): any;
  getLinkedSocialAccounts(): { [name: string]: any };
  disabled(): any;
  isPseudoUser(): boolean;
  /** Sets a field of the app's own, which register sends. */
  set(key: string, value: any): void;
  get<T>(key: string): T;
  objectURI(): string;
  /** The access token; a secret. */
  getAccessToken(): string;
  getAccessTokenObject(): { access_token: string; expires_at: Date };
  bucketWithName(bucketName: string): KiiBucket;
  topicWithName(topicName: string): KiiTopic;
  listTopics(callbacks?: Callbacks<TopicList>, paginationKey?: string): Promise<TopicList>;
  pushSubscription(): KiiPushSubscription;
  /** Push for the current user. */
  pushInstallation(): KiiPushInstallation;
}

/** A thing. */
export class KiiThing {
  /** Not there before they were fetched. */
  fields: any;
  static register(fields: object, callbacks?: Callbacks<[thing: KiiThing]>): Promise<KiiThing>;
  static loadWithThingID(thingID: string, callbacks?: Callbacks<[thing: KiiThing]>): Promise<KiiThing>;
  static loadWithVendorThingID(vendorThingID: string, callbacks?: Callbacks<[thing: KiiThing]>): Promise<KiiThing>;
  static thingWithID(thingID: string): KiiThing;
  refresh(callbacks?: Callbacks<[thing: KiiThing]>): Promise<KiiThing>;
  getThingID(): string;
  getVendorThingID(): string;
  /** The access token; a secret. */
  getAccessToken(): string;
  getCreated(): Date;
  getDisabled(): boolean;
  isOnline(): any;
  getOnlineStatusModifiedAt(): any;
  bucketWithName(bucketName: string): KiiBucket;
  topicWithName(topicName: string): KiiTopic;
  listTopics(callbacks?: Callbacks<TopicList>, paginationKey?: string): Promise<TopicList>;
  pushSubscription(): KiiPushSubscription;
}

/** What a thing that has logged in may do. It is not the current user. */
export class KiiThingContext {
  getAuthenticatedThing(): KiiThing;
  bucketWithName(bucketName: string): KiiBucket;
  topicWithName(topicName: string): KiiTopic;
  listTopics(callbacks?: Callbacks<TopicList>, paginationKey?: string): Promise<TopicList>;
  /** Push for the thing. */
  pushInstallation(): KiiPushInstallation;
}

/** What an administrator may do. Its secrets do not belong in a page that others see. */
export class KiiAppAdminContext {
  getAccessToken(): string;
  userWithID(userID: string): KiiUser;
  thingWithID(thingID: string): KiiThing;
  loadThingWithThingID(thingID: string, callbacks?: Callbacks<[thing: KiiThing]>): Promise<KiiThing>;
  loadThingWithVendorThingID(vendorThingID: string, callbacks?: Callbacks<[thing: KiiThing]>): Promise<KiiThing>;
  bucketWithName(bucketName: string): KiiBucket;
  topicWithName(topicName: string): KiiTopic;
  listTopics(callbacks?: Callbacks<TopicList>, paginationKey?: string): Promise<TopicList>;
}

/** A bucket, as something whose events can be subscribed to. */
export class KiiBucket {
  getBucketName(): string;
}

/** Push over MQTT. Connect with what getMqttEndpoint gives, or with `attach` and kiiweb's own connect. */
export class KiiPushInstallation {
  /** Registers for push: `development` true for the development environment. Again, it gives the same ids. */
  installMqtt(development: boolean, callbacks?: Callbacks<[installation: Installation]>): Promise<Installation>;
  /** Where to connect. It is asked for three times, a second apart, while it is being prepared. */
  getMqttEndpoint(installationID: string, callbacks?: Callbacks<[endpoint: CompatEndpoint]>): Promise<CompatEndpoint>;
  uninstall(installationRegistrationID: string, deviceType: string, callbacks?: Callbacks<[]>): Promise<void>;
  uninstallByInstallationID(installationID: string, callbacks?: Callbacks<[]>): Promise<void>;
}

/** An endpoint of a server that has all four ports. */
export type CompatEndpoint = Required<MqttEndpoint>;

/** A topic of the app, of a user or of a thing. */
export class KiiTopic {
  getName(): string;
  exists(callbacks?: Callbacks<[existed: boolean]>): Promise<boolean>;
  save(callbacks?: Callbacks<[topic: KiiTopic]>): Promise<KiiTopic>;
  deleteTopic(callbacks?: Callbacks<[topic: KiiTopic]>): Promise<KiiTopic>;
  /** Pushes what KiiPushMessageBuilder has built to all subscribers. */
  sendMessage<T>(message: T, callbacks?: Callbacks<[topic: KiiTopic, message: T]>): Promise<[KiiTopic, T]>;
}

/** The subscriptions of one user or thing. */
export class KiiPushSubscription {
  getSubscriber(): KiiUser | KiiThing;
  subscribe<T extends KiiTopic | KiiBucket>(
    target: T,
    callbacks?: Callbacks<[subscription: KiiPushSubscription, target: T]>,
  ): Promise<[KiiPushSubscription, T]>;
  unsubscribe<T extends KiiTopic | KiiBucket>(
    target: T,
    callbacks?: Callbacks<[subscription: KiiPushSubscription, target: T]>,
  ): Promise<[KiiPushSubscription, T]>;
  isSubscribed<T extends KiiTopic | KiiBucket>(
    target: T,
    callbacks?: Callbacks<[subscription: KiiPushSubscription, target: T, isSubscribed: boolean]>,
  ): Promise<[KiiPushSubscription, T, boolean]>;
}

/** Builds a push message, which goes to all channels unless told otherwise. */
export class KiiPushMessageBuilder {
  constructor(data?: any);
  /** What KiiTopic.sendMessage takes. */
  build(): any;
  setSendToDevelopment(flag: boolean): this;
  setSendToProduction(flag: boolean): this;
  enableGcm(enable: boolean): this;
  enableApns(enable: boolean): this;
  enableJpush(enable: boolean): this;
  enableMqtt(enable: boolean): this;
  gcmData(data: object): this;
  gcmCollapseKey(collapseKey: string): this;
  gcmDelayWhileIdle(delayWhileIdle: boolean): this;
  gcmTimeToLive(timeToLive: number): this;
  gcmRestrictedPackageName(restrictedPackageName: string): this;
  apnsData(data: object): this;
  apnsAlert(alert: string | object): this;
  apnsSound(sound: string): this;
  apnsBadge(badge: number): this;
  apnsContentAvailable(contentAvailable: number): this;
  apnsCategory(category: string): this;
  apnsMutableContent(mutableContent: number): this;
  jpushData(data: object): this;
  /** Goes to MQTT in place of the message's data. */
  mqttData(data: object): this;
}

/** Takes apart the messages of errors. */
export class KiiErrorParser {
  /** status is 0 for a failure of the network, -1 where the message tells none, -2 where its code is not known. */
  static parse(error: Error | string): { status: number; code: string | null; message: string } | null;
}

/** What attach takes beside the user: what `load` of kiiweb does, and whose app it is. */
export type AttachOptions = Partial<LoadOptions> & {
  /** The class Kii of the SDK that the user is from; the global Kii when absent. */
  Kii?: { getAppID(): any; getAppKey(): any; getBaseURL?(): any } | undefined;
};

/** Somebody who is logged in: a KiiUser, KiiThing or KiiThingContext, of Kii's own SDK or of kiiweb/compat. */
export type AttachedOwner =
  | { getID(): string; getAccessToken(): string }
  | { getThingID(): string; getAccessToken(): string }
  | { getAuthenticatedThing(): { getThingID(): string; getAccessToken(): string } };

/**
 * Gives a client of kiiweb at which somebody is logged in who is so in Kii's own SDK, which an app
 * may keep for everything else. Rejects with a KiiError.
 */
export function attach(owner: AttachedOwner, options?: AttachOptions): Promise<KiiClient>;
