// The public types of kiiweb/notify: notifications of the system for what arrives while nobody looks.

import type { CallOptions, Connection, Kii, KiiError, Message } from "./index.js";

/**
 * "granted": notifications are shown. "denied": the user or the browser has refused, and only the user can change
 * that, in the browser's settings. "default": the user has not decided; `ask` asks. "unsupported": this browser or
 * this page cannot show any; `Notifier.reason` says why.
 */
export type NotifyPermission = "granted" | "denied" | "default" | "unsupported";

/** A button of a notification. */
export interface NotificationButton {
  /** What a click tells of it. */
  action: string;
  title: string;
  icon?: string | undefined;
}

/** What is shown: a title, and whatever else showNotification takes. */
export interface NotificationContent extends Omit<NotificationOptions, "data"> {
  title: string;
  /**
   * What a click opens where no page of the app is open; relative to the page, and of its origin. When absent: the
   * service worker's scope.
   */
  url?: string | undefined;
  /** Comes back with the click; must survive structured cloning. */
  data?: unknown;
  /**
   * A notification takes the place of one with the same tag. When absent: the `pushMessageID` where the message has one,
   * so that what is delivered again is not shown again.
   */
  tag?: string;
  actions?: NotificationButton[];
  image?: string;
  renotify?: boolean;
  timestamp?: number;
  vibrate?: number | number[];
}

/** A click on a notification, as the page hears of it that was put in front. */
export interface NotificationClick {
  /** Of the button that was pressed; "" for the notification itself. */
  action: string;
  /** `data` and `url` of its content. */
  data: unknown;
  url: string | undefined;
}

/** How `notifications` shows them. */
export interface NotifierOptions extends CallOptions {
  /**
   * Says what to show for a message; null: nothing. It is asked only for what is about to be shown. What it
   * throws is told as an "error", and nothing is shown.
   */
  content: (message: Message) => NotificationContent | null;
  /** What shows them: what navigator.serviceWorker.register gave. When absent, the one that the page belongs to. */
  registration?: ServiceWorkerRegistration | Promise<ServiceWorkerRegistration> | undefined;
}

/** What listeners of a notifier get, by the events' names. */
export interface NotifierEvents {
  /** It is another one now: after `ask`, or because the user has changed the browser's settings. */
  permission: NotifyPermission;
  /** Told to the page that was put in front, if the service worker has `handleNotificationClicks`. */
  click: NotificationClick;
  /** A notification could not be shown. Without a listener it is reported as an uncaught error of the page. */
  error: KiiError;
}

/**
 * Shows notifications for the messages of the connections that it watches, when no page is visible that has a
 * notifier of the same service worker's. Of the tabs that share a connection, the one that leads shows them.
 */
export interface Notifier {
  readonly permission: NotifyPermission;
  /** Why nothing is shown, with a remedy, unless permission is "granted"; then null. */
  readonly reason: KiiError | null;
  /**
   * Asks the user, which browsers allow in a click's handler only. Resolves with what holds then, without asking
   * where that is decided. It waits for the user as long as it takes, unless `timeout` is given.
   */
  ask(options?: CallOptions): Promise<NotifyPermission>;
  /** Shows notifications for what arrives on a connection, of `connect` or `startPush`; the function returned ends that. */
  watch(connection: Connection): () => void;
  /** Calls listener at each event; the function returned ends that. */
  on<E extends keyof NotifierEvents>(event: E, listener: (value: NotifierEvents[E]) => void): () => void;
  /** Ends all that; what is shown stays. May be called again. */
  dispose(): void;
  /** `dispose`, for `using notifier = …`. */
  [Symbol.dispose](): void;
}

/**
 * Makes a notifier; asks nobody and shows nothing yet. `kii` is the client whose connections are to be watched. It resolves
 * also where nothing can be shown, with permission "unsupported". `timeout`, 30,000 when absent, bounds the wait for `registration`.
 */
export function notifications(kii: Pick<Kii, "tabs">, options: NotifierOptions): Promise<Notifier>;

/** Options of `handleNotificationClicks`. */
export interface ClickOptions {
  /** What is opened for notifications whose content has no url; relative to the service worker. When absent: its scope. */
  url?: string | URL | undefined;
}

/**
 * For the app's service worker, on its first turn: a click on one of our notifications closes it, puts the tab in front
 * that was last in front of those that the worker controls, or else of those in its scope, and tells it ("click"); where there is none it opens one. Other
 * notifications are left alone: ours have `kiiweb` in their data. The function returned ends that. Throws a KiiError,
 * UNSUPPORTED, where it is no service worker.
 */
export function handleNotificationClicks(options?: ClickOptions): () => void;
