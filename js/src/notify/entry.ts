// Entry of notify.mjs, for the page and for the app's service worker.

export { handleNotificationClicks } from "./clicks.js";
export { notifications } from "./notifier.js";
