// The service worker's side: a click on a notification arrives there, even when no page is left.

import type { ClickOptions } from "../../types/notify.js";
import { copyOptions } from "../calls.js";
import { invalidArgument, unsupported } from "../errors.js";
import { markOf, sameOrigin, type ClickMessage, type Mark } from "./mark.js";

// The types of service workers exclude those of pages; so here is what is used.

interface WindowClient {
  readonly url: string;
  /** A page in another's frame is "nested". */
  readonly frameType: string;
  focus(): Promise<unknown>;
  postMessage(message: ClickMessage): void;
}

interface NotificationEvent extends Event {
  readonly action: string;
  readonly notification: { readonly data: unknown; close(): void };
  waitUntil(work: Promise<unknown>): void;
}

interface Scope {
  readonly clients: {
    matchAll(options: { type: "window"; includeUncontrolled: boolean }): Promise<WindowClient[]>;
    openWindow(url: string): Promise<unknown>;
  };
  readonly registration: { readonly scope: string };
  readonly location: { readonly href: string };
  addEventListener(type: string, listener: (event: never) => void): void;
  removeEventListener(type: string, listener: (event: never) => void): void;
}

export function handleNotificationClicks(options?: ClickOptions): () => void {
  const scope = globalThis as unknown as Partial<Scope>;
  if (!scope.clients || !scope.registration) {
    throw unsupported("clients", "Call handleNotificationClicks in the app's service worker.");
  }
  const here = scope as Scope;
  const fallback = readURL(options, here);
  const clicked = (event: NotificationEvent) => {
    const mark = markOf(event.notification.data);
    if (!mark) return;
    event.notification.close();
    event.waitUntil(follow(here, mark, event.action, fallback));
  };
  here.addEventListener("notificationclick", clicked);
  return () => here.removeEventListener("notificationclick", clicked);
}

function readURL(options: ClickOptions | undefined, here: Scope): string {
  const { url } = copyOptions("options", options);
  try {
    return url == null ? here.registration.scope : new URL(url, here.location.href).href;
  } catch (cause) {
    throw invalidArgument("options.url is no URL.", cause);
  }
}

/** Puts a page in front, or opens one. */
async function follow(here: Scope, { kiiweb, data }: Mark, action: string, fallback: string): Promise<void> {
  const url = ownPage(kiiweb.url, here);
  const windows = (includeUncontrolled: boolean) => here.clients.matchAll({ type: "window", includeUncontrolled });
  // Those that were in front last come first. Of those that this worker does not control, one may be another app's, whose scope is within this one's.
  for (const client of [...(await windows(false)), ...(await windows(true))]) {
    if (!client.url.startsWith(here.registration.scope) || client.frameType === "nested") continue;
    try {
      await client.focus();
    } catch {
      continue; // it has gone meanwhile
    }
    client.postMessage({ kiiweb: "notificationclick", action, data, url });
    return;
  }
  await here.clients.openWindow(url ?? fallback);
}

/** url, if it is a page of the app's. Data of notifications may be what somebody has pushed, and look like ours. */
function ownPage(url: unknown, here: Scope): string | undefined {
  try {
    return typeof url === "string" && sameOrigin(new URL(url), new URL(here.location.href)) ? url : undefined;
  } catch {
    return undefined; // it is no URL
  }
}
