// What <script src="compat.js"></script> adds to a page. Use it with
// /// <reference types="kiiweb/compat-global" />, in place of @types/kii-cloud-sdk.

import type { attach } from "./compat.js";
import type * as compat from "./compat.js";
import type {} from "./global.js";

declare global {
  interface KiiwebGlobal {
    attach: typeof attach;
  }
  var KiiSite: typeof compat.KiiSite;
  var Kii: typeof compat.Kii;
  type Kii = compat.Kii;
  var KiiUser: typeof compat.KiiUser;
  type KiiUser = compat.KiiUser;
  var KiiThing: typeof compat.KiiThing;
  type KiiThing = compat.KiiThing;
  var KiiThingContext: typeof compat.KiiThingContext;
  type KiiThingContext = compat.KiiThingContext;
  var KiiAppAdminContext: typeof compat.KiiAppAdminContext;
  type KiiAppAdminContext = compat.KiiAppAdminContext;
  var KiiBucket: typeof compat.KiiBucket;
  type KiiBucket = compat.KiiBucket;
  var KiiPushInstallation: typeof compat.KiiPushInstallation;
  type KiiPushInstallation = compat.KiiPushInstallation;
  var KiiTopic: typeof compat.KiiTopic;
  type KiiTopic = compat.KiiTopic;
  var KiiPushSubscription: typeof compat.KiiPushSubscription;
  type KiiPushSubscription = compat.KiiPushSubscription;
  var KiiPushMessageBuilder: typeof compat.KiiPushMessageBuilder;
  type KiiPushMessageBuilder = compat.KiiPushMessageBuilder;
  var KiiErrorParser: typeof compat.KiiErrorParser;
  type KiiErrorParser = compat.KiiErrorParser;
}
