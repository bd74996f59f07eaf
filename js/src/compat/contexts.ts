// What a thing or an administrator who has logged in may do. Neither is the current user.

import { byAdministrator, byThing, type Access } from "./access.js";
import type { KiiBucket } from "./bucket.js";
import { ask, succeeded, urlOf, type Answer, type Ask } from "./call.js";
import { deliver, type Callbacks } from "./callbacks.js";
import { badAnswer, failed, mistake, userFailed, type Cause } from "./errors.js";
import { KiiPushInstallation } from "./installation.js";
import { bucketOf, listTopics, topicOf } from "./scope.js";
import { KiiThing, load, thingOf } from "./thing.js";
import type { KiiTopic } from "./topic.js";
import { userOf, type KiiUser } from "./user.js";

/** Whatever has the app's topics and buckets. */
class Context {
  protected readonly access: Access;

  constructor(access: Access) {
    this.access = access;
  }

  bucketWithName(bucketName: string): KiiBucket {
    return bucketOf([], bucketName);
  }

  topicWithName(topicName: string): KiiTopic {
    return topicOf([], topicName, this.access);
  }

  listTopics(callbacks?: Callbacks, paginationKey?: string): Promise<[KiiTopic[], string | null]> {
    return listTopics(() => [], this.access, this, callbacks, paginationKey);
  }
}

export class KiiThingContext extends Context {
  private readonly thing: () => KiiThing;

  constructor(thingID: string, vendorThingID: string | undefined, token: string) {
    super(byThing(thingID, token));
    this.thing = () => new KiiThing(thingID, this.access).become(vendorThingID, token);
  }

  getAuthenticatedThing(): KiiThing {
    return this.thing();
  }

  pushInstallation(): KiiPushInstallation {
    return new KiiPushInstallation(this.access);
  }
}

export class KiiAppAdminContext extends Context {
  private readonly token: string;

  constructor(id: string, token: string) {
    super(byAdministrator(id, token));
    this.token = token;
  }

  getAccessToken(): string {
    return this.token;
  }

  userWithID(userID: string): KiiUser {
    return userOf(userID, this.access);
  }

  thingWithID(thingID: string): KiiThing {
    return thingOf(thingID, this.access);
  }

  loadThingWithThingID(thingID: string, callbacks?: Callbacks): Promise<KiiThing> {
    return load("refresh thing", thingID, "thingID", this.access, callbacks);
  }

  loadThingWithVendorThingID(vendorThingID: string, callbacks?: Callbacks): Promise<KiiThing> {
    return load("refresh thing", vendorThingID, "vendorThingID", this.access, callbacks);
  }
}

const path = ["oauth2", "token"];

export function authenticateAsThing(vendorThingID: unknown, password: unknown, callbacks: Callbacks): Promise<KiiThingContext> {
  const action = "authenticate as thing";
  const work = async () => {
    if (!isText(vendorThingID) || !isText(password)) throw mistake("vendorThingID or password is invalid");
    const mediaType = "application/vnd.kii.OauthTokenRequest+json";
    const body = { username: `VENDOR_THING_ID:${vendorThingID}`, password };
    const { id, token } = await login({ action, method: "POST", path, mediaType, body }, (cause) => failed(action, cause));
    return new KiiThingContext(id, vendorThingID, token);
  };
  return deliver(work, callbacks, (context) => [context]);
}

/** Asks nobody: whether the token is good is seen at the first call that uses it. */
export function authenticateAsThingWithToken(thingID: unknown, token: unknown, callbacks: Callbacks): Promise<KiiThingContext> {
  const work = async () => {
    if (!isText(thingID) || !isText(token)) throw mistake("thingID or token is invalid");
    return new KiiThingContext(thingID, undefined, token);
  };
  return deliver(work, callbacks, (context) => [context]);
}

export function authenticateAsAppAdmin(clientID: unknown, clientSecret: unknown, callbacks: Callbacks): Promise<KiiAppAdminContext> {
  let status = 0;
  const work = async () => {
    if (!isText(clientID) || !isText(clientSecret)) throw mistake("InvalidArgument: clientId and clientSecret should not null or empty");
    const body = { client_id: clientID, client_secret: clientSecret };
    const request: Ask = { action: "authenticate as administrator", method: "POST", path, mediaType: "application/json", body };
    const { id, token } = await login(request, (cause) => {
      if (!(cause instanceof Error)) status = cause.status;
      return userFailed(cause, urlOf(path));
    });
    return new KiiAppAdminContext(id, token);
  };
  return deliver(work, callbacks, (context) => [context], (error) => [error.message, status]);
}

async function login(request: Ask, fail: (cause: Cause) => Error): Promise<{ id: string; token: string }> {
  let answer: Answer;
  try {
    answer = await ask(request);
  } catch (error) {
    throw fail(error as Error);
  }
  if (!succeeded(answer)) throw fail(answer);
  const { id, access_token: token } = (answer.json ?? {}) as Record<string, unknown>;
  if (!isText(id) || !isText(token)) throw fail(badAnswer(answer));
  return { id, token };
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}
