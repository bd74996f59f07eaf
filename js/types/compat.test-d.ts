// Checks compat.d.ts against the sources, and that code written for Kii's SDK compiles.

import type * as Source from "../src/compat/index.js";
import type * as Api from "./compat.js";
import { attach, Kii, KiiPushMessageBuilder, KiiSite, KiiUser, type KiiPushInstallation } from "./compat.js";
import "./compat-global.js";

/** Fails to compile unless A and B are the same type. */
function same<A, B>(_: (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false): void {}

// The names are the same, those of the classes' own functions, too.
same<keyof typeof Source, keyof typeof Api>(true);
type Statics<T> = { -readonly [name in keyof T]: Exclude<keyof T[name], "prototype"> };
same<Statics<typeof Source>, Statics<typeof Api>>(true);

// What the sources' objects have, the types may promise. @internal is what they do not.
type Instance<T> = T extends { prototype: infer P } ? P : never;
type Internal = "take" | "logIn" | "registration" | "become" | "path" | "toJSON";
type Methods<T> = { -readonly [name in keyof T]: Exclude<keyof Instance<T[name]>, Internal> };
same<Methods<typeof Source>, Methods<typeof Api>>(true);

export async function journey(push: KiiPushInstallation): Promise<void> {
  Kii.initializeWithSite("a", "k", KiiSite.JP);
  Kii.initializeWithSite("a", "k", "http://localhost:8080/api", { host: "main" });
  const user = await KiiUser.authenticate("name", "password", {
    success: (theUser) => theUser.getID(),
    failure: (theUser, message) => `${theUser.getUsername()} ${message.length}`,
  });
  const { installationID, installationRegistrationID } = await push.installMqtt(false);
  const endpoint = await user.pushInstallation().getMqttEndpoint(installationID, { success: (e) => e.portWSS.toFixed() });
  endpoint["X-MQTT-TTL"].toFixed();
  await push.uninstall(installationRegistrationID, "MQTT", { success() {}, failure: (error) => error.target });
  const topic = await user.topicWithName("t").save();
  const [, , subscribed] = await user.pushSubscription().isSubscribed(topic);
  same<typeof subscribed, boolean>(true);
  await topic.sendMessage(new KiiPushMessageBuilder({ a: 1 }).enableGcm(false).build());
  const client = await attach(user, { host: "worker" });
  await client.connect(await client.getMqttEndpoint(installationID));
  await globalThis.kiiweb.attach(globalThis.KiiUser.getCurrentUser()!);

  // @ts-expect-error the environment is true or false
  void push.installMqtt("true");
  // @ts-expect-error there is no such method
  void user.bogus();
}
