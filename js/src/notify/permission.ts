// Whether notifications may be shown, and why not.

import type { NotifyPermission } from "../../types/notify.js";
import { KiiError, unsupported } from "../errors.js";

/** Why this place cannot show notifications, whatever the user says. */
export function missing(): KiiError | undefined {
  const place = globalThis as { document?: unknown; isSecureContext?: boolean; Notification?: unknown };
  if (!place.document) return unsupported("document", "Call notifications in a page; a service worker shows its own.");
  if (!place.isSecureContext) return unsupported("secure context", "Serve the page over https, or from this machine.");
  if (!place.Notification) return unsupported("Notification", "On iOS the user has to add the app to the Home Screen first.");
  if (!hasServiceWorkers()) return unsupported("service workers", "Leave private browsing, or use another browser; a frame's sandbox attribute needs allow-same-origin.");
  if (!navigator.locks) return unsupported("Web Locks");
  return undefined;
}

function hasServiceWorkers(): boolean {
  try {
    return !!navigator.serviceWorker;
  } catch {
    return false; // a frame whose sandbox forbids them
  }
}

export function noRegistration(cause?: unknown): KiiError {
  return new KiiError("The page has no service worker.", {
    code: "UNSUPPORTED",
    retryable: false,
    remedy: "Register one, and give notifications the promise of navigator.serviceWorker.register as registration.",
    ...(cause === undefined ? undefined : { cause }),
  });
}

/** Follows the browser's permission. */
export class Permission {
  /** For ever: why nothing can be shown. */
  readonly #obstacle: KiiError | undefined;
  readonly #changed: (permission: NotifyPermission) => void;
  #known: NotifyPermission;
  #status: PermissionStatus | undefined;
  #ended = false;

  constructor(obstacle: KiiError | undefined, changed: (permission: NotifyPermission) => void) {
    this.#obstacle = obstacle;
    this.#changed = changed;
    this.#known = this.value;
    if (!obstacle) void this.#follow();
  }

  get value(): NotifyPermission {
    return this.#obstacle ? "unsupported" : Notification.permission;
  }

  get reason(): KiiError | null {
    if (this.#obstacle) return this.#obstacle;
    switch (this.value) {
      case "granted":
        return null;
      case "denied":
        return forbidden("Notifications are denied to this page.", "Only the user can allow them, in the browser's settings for this site.");
      default:
        return forbidden("The user has not allowed notifications yet.", "Call ask when the user clicks something.");
    }
  }

  async ask(): Promise<NotifyPermission> {
    if (this.value === "default") await Notification.requestPermission();
    this.check();
    return this.value;
  }

  /** Tells when it is another one than before. */
  readonly check = () => {
    const { value } = this;
    if (this.#ended || value === this.#known) return;
    this.#known = value;
    this.#changed(value);
  };

  end(): void {
    this.#ended = true;
    this.#status?.removeEventListener("change", this.check);
  }

  async #follow(): Promise<void> {
    try {
      const status = await navigator.permissions.query({ name: "notifications" });
      if (this.#ended) return;
      this.#status = status;
      status.addEventListener("change", this.check);
    } catch {
      // A browser that cannot tell of changes: the value is right all the same.
    }
  }
}

function forbidden(message: string, remedy: string): KiiError {
  return new KiiError(message, { code: "FORBIDDEN", retryable: false, remedy });
}
