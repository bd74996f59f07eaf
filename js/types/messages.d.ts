// Messages: what arrives, what Kii puts into it, and what is pushed.

/** The MQTT 5 properties of a message (3.3.2.3 of the standard). */
export interface MessageProperties {
  /** 1: the payload is UTF-8 text. */
  payloadFormat?: number;
  /**
   * Seconds for which the message was still good when it was sent. What one of this side's waits to be sent is
   * taken off; when nothing is left, `publish` rejects with TIMEOUT.
   */
  messageExpiry?: number;
  contentType?: string;
  responseTopic?: string;
  correlationData?: Uint8Array;
  subscriptionIDs?: number[];
  /** In the order sent; names may repeat. */
  userProperties?: [name: string, value: string][];
}

/** A message as it arrived. */
export interface Message {
  readonly topic: string;
  /** The payload. It is a view of a larger buffer, which other messages have a part in: copy it (`slice()`) to keep it for long, or to transfer it. */
  readonly bytes: Uint8Array;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
  /** The broker has sent it before; it was perhaps received before. */
  readonly dup: boolean;
  /** 0 at QoS 0. */
  readonly packetId: number;
  /** Empty where the protocol is 3.x. Read on demand. */
  readonly properties: MessageProperties;
  /** The payload as UTF-8 text. */
  text(): string;
  /**
   * The payload as JSON; throws a SyntaxError when it is none. `json<KiiPushMessage<…>>()` tells what a
   * push of Kii's holds.
   */
  json<T = unknown>(): T;
}

/** Why Kii sent a push: somebody asked for it, or something happened to an object in a bucket. */
export type PushOrigin = "EXPLICIT" | "EVENT";

/** Whose the topic or bucket is that a push comes from: the app's, a user's or a thing's. */
export type ObjectScopeType = "APP" | "APP_AND_USER" | "APP_AND_THING";

/** What happened to an object in a bucket, or to the bucket with all that was in it (BUCKET_DELETED). */
export type BucketEventType =
  | "DATA_OBJECT_CREATED"
  | "DATA_OBJECT_DELETED"
  | "DATA_OBJECT_UPDATED"
  | "DATA_OBJECT_BODY_UPDATED"
  | "DATA_OBJECT_BODY_DELETED"
  | "DATA_OBJECT_BODY_PUBLISHED"
  | "DATA_OBJECT_ACL_MODIFIED"
  | "BUCKET_DELETED";

/** The keys that Kii itself puts into a push, besides those of its `data`. */
export interface KiiPushFields {
  /** The id of the user or thing that has sent it, unless that is an administrator. `sendSender: false` leaves it out. */
  sender?: string;
  /** The same as a URI: `kiicloud://users/ID`, `kiicloud://things/ID` or `kiicloud://admins/APP_ADMIN`. */
  senderURI?: string;
  /** The URI of what it comes from: a topic, a bucket, an object, or the owner that it was sent to. */
  sourceURI?: string;
  /** Asked for by `sendAppID`. */
  appID?: string;
  /** When it was sent, in milliseconds since 1970; asked for by `sendWhen`. */
  when?: number;
  /** Asked for by `sendOrigin`. */
  origin?: PushOrigin;
  /** The topic's name. `sendTopicID: false` leaves it out. */
  topic?: string;
  /** `sendObjectScope: false` leaves it out, and the next three, of which those are there that fit. */
  objectScopeType?: ObjectScopeType;
  objectScopeAppID?: string;
  objectScopeUserID?: string;
  objectScopeThingID?: string;
  /** In the events of a bucket: what happened. A sender may choose another with `pushMessageType`. */
  type?: BucketEventType | (string & {});
  /** In the events of a bucket, as are the next three. */
  bucketID?: string;
  bucketType?: string;
  objectID?: string;
  /** In milliseconds since 1970. */
  modifiedAt?: number;
}

/** A push as it is received: what its sender put into `data`, and Kii's own keys. */
export type KiiPushMessage<Data extends object = PushData> = Data & KiiPushFields;

/** What a push may hold: no objects, no arrays, no NaN and Infinity. */
export type PushData = Record<string, string | number | boolean | null>;

/** What a push may be told beside its data. What is left out the server decides. */
interface PushMessageOptions {
  /** Other channels than MQTT, for owners who have such installations. */
  gcm?: boolean | undefined;
  apns?: boolean | undefined;
  jpush?: boolean | undefined;
  /** Whether installations with `development` true get it. */
  sendToDevelopment?: boolean | undefined;
  /** Whether those with `development` false get it. */
  sendToProduction?: boolean | undefined;
  /** This and the next five add fields to what is received: see KiiPushFields. */
  sendAppID?: boolean | undefined;
  sendSender?: boolean | undefined;
  sendWhen?: boolean | undefined;
  sendOrigin?: boolean | undefined;
  sendObjectScope?: boolean | undefined;
  sendTopicID?: boolean | undefined;
  pushMessageType?: string | undefined;
}

/**
 * A push to be sent: at most 4,096 bytes of JSON, with what the `send…` flags add to it (about 140 by default), else
 * PUSH_TOO_LARGE. `mqttData` goes to MQTT in place of `data`.
 */
export type PushMessage = PushMessageOptions &
  ({ data: PushData; mqttData?: PushData | undefined } | { data?: undefined; mqttData: PushData });
