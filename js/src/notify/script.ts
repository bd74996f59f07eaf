// Entry of notify.js, for <script src> and importScripts.

import { handleNotificationClicks } from "./clicks.js";
import { notifications } from "./notifier.js";

Object.assign(globalThis, { kiiwebNotify: { notifications, handleNotificationClicks } });
