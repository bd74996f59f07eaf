import { byCurrentUser, currentHolder, currentUserChanged, type Access } from "./access.js";
import { ask, inApp, succeeded, urlOf } from "./call.js";
import { deliver, type Callbacks } from "./callbacks.js";
import { checkEmail, checkPassword, checkPhone, checkUsername, type Identity } from "./credentials.js";
import { badAnswer, mistake, userFailed } from "./errors.js";
import { KiiPushInstallation } from "./installation.js";
import { enter, enterWithToken, register, registerAsPseudoUser } from "./login.js";
import type { KiiBucket } from "./bucket.js";
import { bucketOf, listTopics, topicOf } from "./scope.js";
import { KiiPushSubscription } from "./subscription.js";
import type { KiiTopic } from "./topic.js";
import { sorted, type KnownFields } from "./userfields.js";

/** An expiry that nobody has told: the last moment that a Date can name. */
const never = 8.64e15;

const badURI = "Unable to set URI. Must be of the form kiicloud://some/path/to/object/or/entity";

/** A user of the app. What it is called by and its fields are what was set or fetched last. */
export class KiiUser {
  private id: string | undefined;
  private password: string | undefined;
  private token: string | undefined;
  private expiresAt: number | undefined;
  private known: KnownFields = {};
  private own: Record<string, unknown> = {};
  private readonly access: Access;

  /** access is that of an administrator's context, for users that come from one. */
  constructor(access: Access = byCurrentUser) {
    this.access = access;
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

  static userWithUsername(username: string, password: string): KiiUser {
    return newUser({ loginName: checkUsername(username) }, password);
  }

  static userWithEmailAddress(emailAddress: string, password: string): KiiUser {
    return newUser({ emailAddress: checkEmail(emailAddress) }, password);
  }

  static userWithPhoneNumber(phoneNumber: string, password: string): KiiUser {
    return newUser({ phoneNumber: checkPhone(phoneNumber) }, password);
  }

  static userWithPhoneNumberAndUsername(phoneNumber: string, username: string, password: string): KiiUser {
    return newUser({ phoneNumber: checkPhone(phoneNumber), loginName: checkUsername(username) }, password);
  }

  static userWithEmailAddressAndUsername(emailAddress: string, username: string, password: string): KiiUser {
    return newUser({ emailAddress: checkEmail(emailAddress), loginName: checkUsername(username) }, password);
  }

  static userWithEmailAddressAndPhoneNumber(emailAddress: string, phoneNumber: string, password: string): KiiUser {
    return newUser({ emailAddress: checkEmail(emailAddress), phoneNumber: checkPhone(phoneNumber) }, password);
  }

  static userWithCredentials(emailAddress: string, phoneNumber: string, username: string, password: string): KiiUser {
    const identity = { emailAddress: checkEmail(emailAddress), phoneNumber: checkPhone(phoneNumber) };
    return newUser({ ...identity, loginName: checkUsername(username) }, password);
  }

  static userWithID(userID: string): KiiUser {
    return userOf(userID, byCurrentUser);
  }

  static userWithURI(uri: string): KiiUser {
    const id = typeof uri === "string" ? /^kiicloud:\/\/users\/([^/]+)$/.exec(uri)?.[1] : undefined;
    if (!id) throw mistake(badURI);
    return userOf(id, byCurrentUser);
  }

  static authenticate(userIdentifier: string, password: string, callbacks?: Callbacks): Promise<KiiUser> {
    return deliver(() => enter(new KiiUser(), userIdentifier, password), callbacks, one, told);
  }

  static authenticateWithToken(accessToken: string, callbacks?: Callbacks, expiresAt?: Date): Promise<KiiUser> {
    return deliver(() => enterWithToken(new KiiUser(), accessToken, expiresAt), callbacks, one, told);
  }

  static registerAsPseudoUser(callbacks?: Callbacks, userFields?: unknown): Promise<KiiUser> {
    const failure = (error: Error) => [null, error.message];
    return deliver(() => registerAsPseudoUser(new KiiUser(), userFields), callbacks, one, failure);
  }

  register(callbacks?: Callbacks): Promise<KiiUser> {
    return deliver(() => register(this), callbacks, one, told);
  }

  /** Fetches the fields that the server has. */
  refresh(callbacks?: Callbacks): Promise<KiiUser> {
    const work = async () => {
      const path = inApp("users", this.needID());
      let url = "";
      try {
        url = urlOf(path);
        const answer = await ask({ action: "refresh user", method: "GET", path, access: this.access });
        if (!succeeded(answer)) throw userFailed(answer, url, this);
        const { userID } = (answer.json ?? {}) as { userID?: unknown };
        if (typeof userID !== "string") throw userFailed(badAnswer(answer), url, this);
        this.take(answer.json);
      } catch (error) {
        throw userFailed(error as Error, url, this);
      }
      return this;
    };
    return deliver(work, callbacks, one, told);
  }

  getID(): string | undefined {
    return this.id;
  }

  getUUID(): string | undefined {
    return this.id;
  }

  getUsername(): string | undefined {
    return this.known.loginName;
  }

  getDisplayName(): string | undefined {
    return this.known.displayName;
  }

  setDisplayName(value: string): void {
    if (typeof value !== "string" || value.length < 1 || value.length > 50) {
      throw mistake("Unable to set displayName. Must be between 1-50 characters.");
    }
    this.known.displayName = value;
  }

  getCountry(): string | undefined {
    return this.known.country;
  }

  setCountry(value: string): void {
    if (typeof value !== "string" || !/^[a-z]{2}$/i.test(value)) {
      throw mistake("Unable to set country code. Must be 2 alphabetic characters. Ex: US, JP, CN");
    }
    this.known.country = value;
  }

  getLocale(): string | undefined {
    return this.known.locale;
  }

  setLocale(value: string): void {
    this.known.locale = value;
  }

  getEmailAddress(): string | undefined {
    return this.known.emailAddress;
  }

  getPendingEmailAddress(): string | undefined {
    return this.known._emailAddressPending;
  }

  getEmailVerified(): boolean | undefined {
    return this.known.emailAddressVerified;
  }

  getPhoneNumber(): string | undefined {
    return this.known.phoneNumber;
  }

  getPendingPhoneNumber(): string | undefined {
    return this.known._phoneNumberPending;
  }

  getPhoneVerified(): boolean | undefined {
    return this.known.phoneNumberVerified;
  }

  getCreated(): number | undefined {
    return this.known._created ?? this.known.createdAt;
  }

  getModified(): number | undefined {
    return this.known._modified ?? this.known.modifiedAt;
  }

  getLinkedSocialAccounts(): Record<string, unknown> {
    return this.known._thirdPartyAccounts ?? {};
  }

  disabled(): boolean | undefined {
    return this.known._disabled;
  }

  isPseudoUser(): boolean {
    return this.known._hasPassword === false;
  }

  /** Sets a field of the app's own, which register sends. */
  set(key: string, value: unknown): void {
    this.own[key] = value;
  }

  get<T>(key: string): T {
    return this.own[key] as T;
  }

  objectURI(): string | null {
    return this.id === undefined ? null : `kiicloud://users/${this.id}`;
  }

  getAccessToken(): string | undefined {
    return this.token;
  }

  getAccessTokenObject(): { access_token: string; expires_at: Date } | null {
    return this.token === undefined ? null : { access_token: this.token, expires_at: new Date(this.expiresAt ?? never) };
  }

  bucketWithName(bucketName: string): KiiBucket {
    return bucketOf(this.scope(), bucketName);
  }

  topicWithName(topicName: string): KiiTopic {
    if (this.id === undefined) throw mistake("can not instantiate topic from instance which doesn't have ID");
    return topicOf(this.scope(), topicName, this.access);
  }

  listTopics(callbacks?: Callbacks, paginationKey?: string): Promise<[KiiTopic[], string | null]> {
    return listTopics(() => this.scope(), this.access, this, callbacks, paginationKey);
  }

  pushSubscription(): KiiPushSubscription<KiiUser> {
    return new KiiPushSubscription<KiiUser>(this, () => this.scope(), this.access);
  }

  pushInstallation(): KiiPushInstallation {
    if (this.access !== byCurrentUser) throw mistake("pushInstallation is for the user who is logged in, not for an administrator.");
    return new KiiPushInstallation(this.access);
  }

  /** Takes over what the server says of the user. @internal */
  take(json: unknown): void {
    if (typeof json !== "object" || json === null || Array.isArray(json)) return;
    const { userID } = json as { userID?: unknown };
    if (typeof userID === "string" && userID !== "") this.id = userID;
    const { known, own } = sorted(json);
    Object.assign(this.known, known);
    Object.assign(this.own, own);
  }

  /** Makes this the current user. @internal */
  logIn(id: string, token: string, expiresAt: number | undefined): void {
    this.id = id;
    this.token = token;
    this.expiresAt = expiresAt;
    this.password = undefined;
    currentUserChanged(this);
  }

  /** What a new user is registered with. @internal */
  registration(): { fields: Record<string, unknown>; identifier: string; password: string } | null {
    const { loginName, emailAddress, phoneNumber, displayName, country, locale } = this.known;
    const identifier = loginName ?? emailAddress ?? phoneNumber;
    if (identifier === undefined || this.password === undefined) return null;
    const given = { loginName, emailAddress, phoneNumber, displayName, country, locale, password: this.password };
    return { fields: { ...this.own, ...given }, identifier, password: this.password };
  }

  /** Is called by a name, with a password. @internal */
  become(identity: Identity, password?: string): this {
    Object.assign(this.known, identity);
    this.password = password;
    return this;
  }

  private needID(): string {
    if (this.id === undefined) throw mistake("InvalidArgument: the user has no ID", this);
    return this.id;
  }

  private scope(): string[] {
    return ["users", this.needID()];
  }
}

/** The user with an id, as whoever access gives. */
export function userOf(userID: unknown, access: Access): KiiUser {
  if (typeof userID !== "string" || userID === "") throw mistake("InvalidArgument: userID should not null or empty");
  const user = new KiiUser(access);
  user.take({ userID });
  return user;
}

function newUser(identity: Identity, password: string): KiiUser {
  return new KiiUser().become(identity, checkPassword(password));
}

const one = (user: KiiUser): unknown[] => [user];

/** Failures are told with the user and the text. */
const told = (error: Error): unknown[] => [(error as { target?: unknown }).target, error.message];
