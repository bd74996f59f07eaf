// What notifications carry, and what a service worker tells a page of a click.

import type { NotificationClick } from "../../types/notify.js";

/** The data of our notifications: kiiweb tells them from others. */
export interface Mark {
  kiiweb: { url: string | undefined };
  data: unknown;
}

/** The message to the page that a click has put in front. */
export interface ClickMessage extends NotificationClick {
  kiiweb: "notificationclick";
}

export function markOf(data: unknown): Mark | undefined {
  const mark = (data as Partial<Mark> | null)?.kiiweb;
  return typeof mark === "object" && mark !== null ? (data as Mark) : undefined;
}

/** Not by origin: URLs of extensions have none everywhere, and those of blobs have their maker's. */
export function sameOrigin(one: { protocol: string; host: string }, other: { protocol: string; host: string }): boolean {
  return one.protocol === other.protocol && one.host === other.host;
}

export function isClick(data: unknown): data is ClickMessage {
  return (data as Partial<ClickMessage> | null)?.kiiweb === "notificationclick";
}
