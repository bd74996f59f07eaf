// Code that is compiled against @types/kii-cloud-sdk may be compiled against kiiweb/compat, as far as that
// covers the same names: its objects fit where Kii's are expected.

import type * as compat from "../../../js/types/compat.js";

type Common<Theirs, Ours> = Pick<Theirs, keyof Theirs & keyof Ours>;
// What gives or takes objects of other classes is compared class by class.
type Apart =
  | "prototype" | "bucketWithName" | "topicWithName" | "listTopics" | "pushInstallation" | "pushSubscription" | "getAuthenticatedThing"
  | "userWithID" | "thingWithID" | "getSubscriber" | "getLinkedSocialAccounts" | "initialize" | "initializeWithSite";
type Fits<Theirs, Ours extends Omit<Common<Theirs, Ours>, Apart>> = Ours;

export type Instances = [
  Fits<KiiCloud.KiiPushInstallation, compat.KiiPushInstallation>,
  Fits<Pick<KiiCloud.KiiTopic, "getName" | "exists">, compat.KiiTopic>,
  Fits<Omit<KiiCloud.KiiUser, "register" | "refresh">, compat.KiiUser>,
  Fits<Omit<KiiCloud.KiiThing, "refresh">, compat.KiiThing>,
];

/** An app's code as it was written for Kii's SDK. */
export async function page(sdk: Pick<typeof compat, "Kii" | "KiiUser" | "KiiPushMessageBuilder">): Promise<void> {
  const user = await sdk.KiiUser.authenticate("name", "password", { success: (u) => u.getID(), failure: (u, text) => [u, text] });
  const response = await user.pushInstallation().installMqtt(false);
  user.pushInstallation().getMqttEndpoint(response.installationID, {
    success(endpoint) {
      const wss: number = endpoint.portWSS;
      const ttl: number = endpoint["X-MQTT-TTL"];
      return [wss, ttl, endpoint.host];
    },
    failure: (error) => error.message,
  });
  const topic = user.topicWithName("news");
  const [subscription] = await user.pushSubscription().subscribe(topic);
  const [, , subscribed] = await subscription.isSubscribed(topic);
  const [topics, next] = await user.listTopics(undefined, "key");
  await topic.sendMessage(new sdk.KiiPushMessageBuilder({ a: "b" }).enableGcm(false).apnsAlert("x").mqttData({ a: "1" }).build());
  const name: string = user.getUsername() + topics[0]!.getName() + next + String(subscribed);
  const context = await sdk.Kii.authenticateAsThing("vendor", "password");
  const id: string = context.getAuthenticatedThing().getThingID() + name;
  await context.pushInstallation().uninstall(id, "MQTT");
}
