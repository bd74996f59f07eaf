interface Channel {
  enabled: boolean;
  [setting: string]: unknown;
}

/** What KiiTopic.sendMessage takes, as it goes to the server. */
interface Message {
  data?: unknown;
  gcm: Channel;
  apns: Channel;
  jpush: Channel;
  mqtt: Channel;
  sendToDevelopment?: boolean;
  sendToProduction?: boolean;
}

/** Builds a push message, which goes to all channels unless told otherwise. */
export class KiiPushMessageBuilder {
  private readonly message: Message;

  constructor(data?: unknown) {
    this.message = {
      ...(data === undefined ? undefined : { data }),
      gcm: { enabled: true },
      apns: { enabled: true },
      jpush: { enabled: true },
      mqtt: { enabled: true },
    };
  }

  /** The message is a copy of its own: what the builder is told later does not change it. */
  build(): Message {
    const { gcm, apns, jpush, mqtt } = this.message;
    return { ...this.message, gcm: { ...gcm }, apns: { ...apns }, jpush: { ...jpush }, mqtt: { ...mqtt } };
  }

  /** A builder that is sent in place of what it builds is the same. */
  toJSON(): Message {
    return this.build();
  }

  setSendToDevelopment(flag: boolean): this {
    this.message.sendToDevelopment = flag;
    return this;
  }

  setSendToProduction(flag: boolean): this {
    this.message.sendToProduction = flag;
    return this;
  }

  enableGcm(enable: boolean): this {
    return this.set("gcm", "enabled", enable);
  }

  enableApns(enable: boolean): this {
    return this.set("apns", "enabled", enable);
  }

  enableJpush(enable: boolean): this {
    return this.set("jpush", "enabled", enable);
  }

  enableMqtt(enable: boolean): this {
    return this.set("mqtt", "enabled", enable);
  }

  gcmData(data: object): this {
    return this.set("gcm", "data", data);
  }

  gcmCollapseKey(collapseKey: string): this {
    return this.set("gcm", "collapseKey", collapseKey);
  }

  gcmDelayWhileIdle(delayWhileIdle: boolean): this {
    return this.set("gcm", "delayWhileIdle", delayWhileIdle);
  }

  gcmTimeToLive(timeToLive: number): this {
    return this.set("gcm", "timeToLive", timeToLive);
  }

  gcmRestrictedPackageName(restrictedPackageName: string): this {
    return this.set("gcm", "restrictedPackageName", restrictedPackageName);
  }

  apnsData(data: object): this {
    return this.set("apns", "data", data);
  }

  apnsAlert(alert: string | object): this {
    return this.set("apns", "alert", alert);
  }

  apnsSound(sound: string): this {
    return this.set("apns", "sound", sound);
  }

  apnsBadge(badge: number): this {
    return this.set("apns", "badge", badge);
  }

  apnsContentAvailable(contentAvailable: number): this {
    return contentAvailable > 0 ? this.set("apns", "contentAvailable", true) : this;
  }

  apnsCategory(category: string): this {
    return this.set("apns", "category", category);
  }

  apnsMutableContent(mutableContent: number): this {
    return mutableContent > 0 ? this.set("apns", "mutableContent", true) : this;
  }

  jpushData(data: object): this {
    return this.set("jpush", "data", data);
  }

  mqttData(data: object): this {
    return this.set("mqtt", "data", data);
  }

  private set(channel: "gcm" | "apns" | "jpush" | "mqtt", setting: string, value: unknown): this {
    this.message[channel][setting] = value;
    return this;
  }
}
