// A page with notifications, and a service worker, for tests of kiiweb/notify: in place of the globals, until the test ends.

import { FakeBrowser, type FakeTab } from "./fakebrowser.js";

interface Ends {
  after(end: () => unknown): void;
}

function install(t: Ends, names: Record<string, unknown>): void {
  for (const [name, value] of Object.entries(names)) {
    const before = Object.getOwnPropertyDescriptor(globalThis, name);
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
    t.after(() => (before ? Object.defineProperty(globalThis, name, before) : Reflect.deleteProperty(globalThis, name)));
  }
}

export interface Shown {
  title: string;
  options: { tag?: string; body?: string; data: { kiiweb: { url?: string }; data: unknown } };
}

/** A page that may show notifications. Other pages of its browser are tabs of browser. */
export class FakePlace {
  readonly browser = new FakeBrowser();
  readonly tab: FakeTab = this.browser.tab();
  readonly window = new EventTarget();
  readonly document = Object.assign(new EventTarget(), { visibilityState: "visible" });
  readonly serviceWorker = Object.assign(new EventTarget(), { startMessages() {}, getRegistration: async () => this.registration });
  readonly shown: Shown[] = [];
  readonly reported: unknown[] = [];
  /** What the user answers, and how often they were asked. */
  answer = "granted";
  asked = 0;
  readonly status = new EventTarget();
  readonly Notification: { permission: string; requestPermission(): Promise<string> } = {
    permission: "granted",
    requestPermission: async () => {
      this.asked++;
      return (this.Notification.permission = this.answer);
    },
  };
  readonly worker = Object.assign(new EventTarget(), { state: "activated" });
  /** Set: what showNotification rejects with. */
  failure: Error | undefined;
  readonly registration: { scope: string; active: unknown; installing: unknown; showNotification(title: string, options: Shown["options"]): Promise<void> } = {
    scope: "https://a.example/",
    active: this.worker,
    installing: null,
    showNotification: async (title, options) => {
      if (this.failure) throw this.failure;
      this.shown.push({ title, options: structuredClone(options) });
    },
  };

  constructor(t: Ends) {
    const { document, window, Notification, serviceWorker, tab } = this;
    const navigator = { serviceWorker, locks: tab.locks, permissions: { query: async () => this.status } };
    const location = new URL("https://a.example/page");
    const reportError = (error: unknown) => void this.reported.push(error);
    install(t, { document, window, Notification, navigator, location, reportError, isSecureContext: true });
  }

  see(visible: boolean): void {
    this.document.visibilityState = visible ? "visible" : "hidden";
    this.document.dispatchEvent(new Event("visibilitychange"));
  }

  /** The user changes the browser's settings. */
  permit(permission: string): void {
    this.Notification.permission = permission;
    this.status.dispatchEvent(new Event("change"));
  }

  /** The service worker says something. */
  tell(data: unknown): void {
    this.serviceWorker.dispatchEvent(Object.assign(new Event("message"), { data }));
  }
}

interface Client {
  url: string;
  frameType: string;
  controlled: boolean;
  told: unknown[];
  focused: boolean;
  gone?: boolean;
}

/** A service worker's global scope, with pages. */
export function fakeServiceWorker(t: Ends, urls: string[]) {
  const events = new EventTarget();
  const clients: Client[] = urls.map((url) => ({ url, frameType: "top-level", controlled: true, told: [], focused: false }));
  const opened: string[] = [];
  const work: Promise<unknown>[] = [];
  install(t, {
    addEventListener: events.addEventListener.bind(events),
    removeEventListener: events.removeEventListener.bind(events),
    registration: { scope: "https://a.example/app/" },
    location: new URL("https://a.example/app/sw.js"),
    clients: {
      matchAll: async ({ includeUncontrolled }: { includeUncontrolled: boolean }) =>
        clients.filter(({ controlled }) => controlled || includeUncontrolled).map((one) => ({
          url: one.url,
          frameType: one.frameType,
          focus: async () => {
            if (one.gone) throw new TypeError("gone");
            one.focused = true;
          },
          postMessage: (message: unknown) => void one.told.push(message),
        })),
      openWindow: async (url: string) => void opened.push(url),
    },
  });
  /** Clicks on a notification that carries data; resolves with whether it was closed. */
  async function click(data: unknown, action = ""): Promise<boolean> {
    let closed = false;
    const notification = { data, close: () => void (closed = true) };
    const waitUntil = (one: Promise<unknown>) => void work.push(one);
    events.dispatchEvent(Object.assign(new Event("notificationclick"), { notification, action, waitUntil }));
    await Promise.all(work.splice(0));
    return closed;
  }
  return { clients, opened, click };
}
