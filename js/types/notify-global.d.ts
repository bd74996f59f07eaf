// What <script src="notify.js"></script> adds to a page, and importScripts to a service worker. Use it with
// /// <reference types="kiiweb/notify-global" />.

import type * as notify from "./notify.js";

declare global {
  var kiiwebNotify: Pick<typeof notify, "notifications" | "handleNotificationClicks">;
}
