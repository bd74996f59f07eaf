// Notifications need a service worker that is active.

import { noRegistration } from "./permission.js";

/** Waits for one that is about to be; rejects when its installation fails. */
export function activated(registration: ServiceWorkerRegistration): Promise<void> {
  if (registration.active) return Promise.resolve();
  const coming = registration.installing ?? registration.waiting;
  if (!coming) return Promise.reject(noRegistration());
  return new Promise((resolve, reject) => {
    const changed = () => {
      if (coming.state !== "redundant" && !registration.active) return;
      coming.removeEventListener("statechange", changed);
      if (registration.active) resolve();
      else reject(noRegistration());
    };
    coming.addEventListener("statechange", changed);
  });
}
