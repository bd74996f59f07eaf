import { byCurrentUser, type Access } from "./access.js";
import type { KiiBucket } from "./bucket.js";
import { ask, inApp, succeeded, type Ask } from "./call.js";
import { deliver, type Callbacks } from "./callbacks.js";
import { badAnswer, failed, mistake } from "./errors.js";
import { bucketOf, listTopics, topicOf } from "./scope.js";
import { KiiPushSubscription } from "./subscription.js";
import type { KiiTopic } from "./topic.js";

/** A device that is registered with the app. */
export class KiiThing {
  /** All fields but the password and those that have a method of their own; undefined before they were fetched. */
  fields: Record<string, unknown> | undefined;
  private readonly id: string | undefined;
  private readonly access: Access;
  private vendorThingID: string | undefined;
  private token: string | undefined;
  private created: number | undefined;
  private disabled: boolean | undefined;

  /** access is that of a context, for things that come from one. */
  constructor(id: string | undefined, access: Access = byCurrentUser) {
    this.id = id;
    this.access = access;
  }

  static register(fields: Record<string, unknown>, callbacks?: Callbacks): Promise<KiiThing> {
    const action = "register thing";
    const work = async () => {
      if (typeof fields !== "object" || fields === null || Array.isArray(fields)) {
        throw mistake("InvalidArgument: fields should be an object");
      }
      const mediaType = "application/vnd.kii.ThingRegistrationAndAuthorizationRequest+json";
      return fetched({ action, method: "POST", path: inApp("things"), mediaType, body: fields }, byCurrentUser);
    };
    return deliver(work, callbacks, one);
  }

  static loadWithThingID(thingID: string, callbacks?: Callbacks): Promise<KiiThing> {
    return load("load thing", thingID, "thingID", byCurrentUser, callbacks);
  }

  static loadWithVendorThingID(vendorThingID: string, callbacks?: Callbacks): Promise<KiiThing> {
    return load("load thing", vendorThingID, "vendorThingID", byCurrentUser, callbacks);
  }

  static thingWithID(thingID: string): KiiThing {
    return thingOf(thingID, byCurrentUser);
  }

  /** Fetches the fields that the server has. */
  refresh(callbacks?: Callbacks): Promise<KiiThing> {
    const work = async () => {
      const path = inApp(...this.scope());
      await fetched({ action: "refresh thing", method: "GET", path, access: this.access }, this.access, this);
      return this;
    };
    return deliver(work, callbacks, one);
  }

  getThingID(): string | undefined {
    return this.id;
  }

  getVendorThingID(): string | undefined {
    return this.vendorThingID;
  }

  getAccessToken(): string | undefined {
    return this.token;
  }

  getCreated(): Date | undefined {
    return this.created === undefined ? undefined : new Date(this.created);
  }

  getDisabled(): boolean | undefined {
    return this.disabled;
  }

  isOnline(): boolean | null {
    const online = this.fields?._online;
    return typeof online === "boolean" ? online : null;
  }

  getOnlineStatusModifiedAt(): Date | null {
    const at = this.fields?._onlineStatusModifiedAt;
    return typeof at === "number" ? new Date(at) : null;
  }

  bucketWithName(bucketName: string): KiiBucket {
    return bucketOf(this.scope(), bucketName);
  }

  topicWithName(topicName: string): KiiTopic {
    return topicOf(this.scope(), topicName, this.access);
  }

  listTopics(callbacks?: Callbacks, paginationKey?: string): Promise<[KiiTopic[], string | null]> {
    return listTopics(() => this.scope(), this.access, this, callbacks, paginationKey);
  }

  pushSubscription(): KiiPushSubscription<KiiThing> {
    return new KiiPushSubscription<KiiThing>(this, () => this.scope(), this.access);
  }

  /** Is known by these. @internal */
  become(vendorThingID: string | undefined, token: string | undefined): this {
    this.vendorThingID = vendorThingID;
    this.token = token;
    return this;
  }

  /** Takes over what the server says of the thing. @internal */
  take(json: Record<string, unknown>): void {
    const { _thingID, _vendorThingID, _accessToken, _created, _disabled, ...fields } = json;
    if (typeof _vendorThingID === "string") this.vendorThingID = _vendorThingID;
    if (typeof _accessToken === "string") this.token = _accessToken;
    if (typeof _created === "number") this.created = _created;
    if (typeof _disabled === "boolean") this.disabled = _disabled;
    this.fields = fields;
  }

  private scope(): string[] {
    if (this.id === undefined) throw mistake("InvalidArgument: the thing has no ID", this);
    return ["things", this.id];
  }
}

/** The thing with an id, as whoever access gives. */
export function thingOf(thingID: unknown, access: Access): KiiThing {
  if (typeof thingID !== "string" || thingID === "") throw mistake("InvalidArgument: thingID should not null or empty");
  return new KiiThing(thingID, access);
}

/** Fetches the thing with an id, or with its maker's. */
export function load(
  action: string,
  id: unknown,
  name: "thingID" | "vendorThingID",
  access: Access,
  callbacks: Callbacks,
): Promise<KiiThing> {
  const work = async () => {
    if (typeof id !== "string" || id === "") throw mistake(`InvalidArgument: ${name} should not null or empty`);
    const segment = name === "thingID" ? id : `VENDOR_THING_ID:${id}`;
    const target = access === byCurrentUser ? undefined : new KiiThing(name === "thingID" ? id : undefined, access);
    if (name === "vendorThingID") target?.become(id, undefined);
    return fetched({ action, method: "GET", path: inApp("things", segment), access }, access, undefined, target);
  };
  return deliver(work, callbacks, one);
}

/** Makes the thing that the answer describes, or tells it to the one that is there. target is for errors. */
async function fetched(request: Ask, access: Access, thing?: KiiThing, target = thing): Promise<KiiThing> {
  const answer = await ask(request).catch((error: Error) => {
    throw failed(request.action, error, target);
  });
  if (!succeeded(answer)) throw failed(request.action, answer, target);
  const json = (answer.json ?? {}) as Record<string, unknown>;
  if (typeof json._thingID !== "string" || json._thingID === "") throw failed(request.action, badAnswer(answer), target);
  const described = thing ?? new KiiThing(json._thingID, access);
  described.take(json);
  return described;
}

const one = (thing: KiiThing): unknown[] => [thing];
