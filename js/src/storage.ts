// Remembers installations. A place that stores nothing (private mode, a sandboxed frame, a
// worker) is as good: the installation is asked for again. Service workers have no such place, and no such file.

import type { Installation } from "../types/index.js";

/** The installation that owner, by its key, had with this value of development. */
export function recall(owner: string, development: boolean): Installation | undefined {
  try {
    const { installationID, installationRegistrationID, ...rest } = JSON.parse(localStorage.getItem(owner)!) as Installation & { development: boolean };
    const whole = typeof installationID === "string" && typeof installationRegistrationID === "string";
    return whole && rest.development === development ? { installationID, installationRegistrationID } : undefined;
  } catch {
    return undefined;
  }
}

export function remember(owner: string, development: boolean, installation: Installation): void {
  try {
    localStorage.setItem(owner, JSON.stringify({ ...installation, development }));
  } catch {
    // there is no room, or no storage
  }
}

export function forget(owner: string): void {
  try {
    localStorage.removeItem(owner);
  } catch {
    // it was not remembered either
  }
}
