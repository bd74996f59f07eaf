// Checked by `npm run typecheck`, never run.

import type * as Source from "../src/notify/entry.js";
import type { Kii, KiiError, Push } from "./index.js";
import type * as Api from "./notify.js";
import "./notify-global.js";

/** Fails to compile unless A and B are the same type. */
function same<A, B>(_: (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false): void {}

// The sources cannot drift from the types.
((source: typeof Source): typeof Api => source);
same<keyof typeof Source, keyof typeof Api>(true);
same<keyof typeof globalThis.kiiwebNotify, keyof typeof Api>(true);

export async function page(kii: Kii, push: Push): Promise<void> {
  using notifier = await kiiwebNotify.notifications(kii, {
    registration: navigator.serviceWorker.register("/sw.js"),
    content: (m) => (m.qos === 0 ? null : { title: m.text(), body: "", tag: "t", url: "/inbox", data: { a: 1 }, actions: [{ action: "a", title: "A" }] }),
    timeout: 1000,
  });
  same<typeof notifier.permission, "granted" | "denied" | "default" | "unsupported">(true);
  same<typeof notifier.reason, KiiError | null>(true);
  same<Awaited<ReturnType<typeof notifier.ask>>, Api.NotifyPermission>(true);
  const off = notifier.watch(push);
  same<typeof off, () => void>(true);
  notifier.on("click", ({ action, data, url }) => [same<typeof action, string>(true), same<typeof data, unknown>(true), same<typeof url, string | undefined>(true)]);
  notifier.on("error", (error) => same<typeof error, KiiError>(true));
  notifier.on("permission", (permission) => same<typeof permission, Api.NotifyPermission>(true));
  // @ts-expect-error no such event
  notifier.on("shown", () => {});
  // @ts-expect-error nobody says what to show
  await kiiwebNotify.notifications(kii, {});
  // @ts-expect-error a notification has a title
  await kiiwebNotify.notifications(kii, { content: () => ({ body: "" }) });
}

export function serviceWorker(): () => void {
  return kiiwebNotify.handleNotificationClicks({ url: new URL("https://a.example/") });
}
