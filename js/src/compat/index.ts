// All that kiiweb/compat exports, however it was loaded.

export { attach } from "./attach.js";
export { KiiBucket } from "./bucket.js";
export { KiiAppAdminContext, KiiThingContext } from "./contexts.js";
export { KiiErrorParser } from "./errorparser.js";
export { KiiPushInstallation } from "./installation.js";
export { Kii } from "./kii.js";
export { KiiPushMessageBuilder } from "./messagebuilder.js";
export { KiiSite } from "./site.js";
export { KiiPushSubscription } from "./subscription.js";
export { KiiThing } from "./thing.js";
export { KiiTopic } from "./topic.js";
export { KiiUser } from "./user.js";
