// Tells connections that the Content-Security-Policy forbids from those that fail: the
// browser itself has next to no words for the difference.

import type { CallOptions } from "../types/index.js";
import { KiiError } from "./errors.js";
import { policyOwner } from "./policy.js";

/** Tells whether a URL, or no more than its scheme, is that of a connection that a call makes; gives the origin to allow. */
export type Concerns = (url: string) => string | undefined;

/** Does work. As soon as the policy forbids a connection of it the work is ended, and the error is NETWORK and says so. */
export async function unlessBlocked<T>(concerns: Concerns, call: CallOptions, work: (call: CallOptions) => Promise<T>): Promise<T> {
  const stop = new AbortController();
  const { signal } = call;
  const abort = () => stop.abort(signal!.reason);
  let blocked: KiiError | undefined;
  const violation = (event: Event) => {
    const { blockedURI, disposition, effectiveDirective } = event as SecurityPolicyViolationEvent;
    if (disposition === "report") return; // a policy on trial blocks nothing
    const origin = effectiveDirective === "connect-src" && concerns(blockedURI);
    if (!origin || blocked) return;
    blocked = forbidden(origin);
    stop.abort();
  };
  if (signal?.aborted) abort();
  signal?.addEventListener("abort", abort);
  globalThis.addEventListener?.("securitypolicyviolation", violation);
  try {
    return await work({ ...call, signal: stop.signal });
  } catch (error) {
    if ((error as KiiError).code === "NETWORK") await new Promise((resolve) => setTimeout(resolve)); // the event may come behind the failure
    throw (!signal?.aborted && blocked) || error;
  } finally {
    signal?.removeEventListener("abort", abort);
    globalThis.removeEventListener?.("securitypolicyviolation", violation);
  }
}

function forbidden(origin: string): KiiError {
  const whose = policyOwner();
  return new KiiError(`The Content-Security-Policy (connect-src) of ${whose} blocks ${origin}.`, {
    code: "NETWORK",
    retryable: false,
    remedy: `Add ${origin} to connect-src of the Content-Security-Policy that ${whose} is served with.`,
  });
}

/** The REST API and the broker of a call. Without an endpoint the API alone; without baseURL that is one of Kii's. */
export function connectionsOf(baseURL: string | undefined, endpoint?: { host: string; portWS?: number; portWSS?: number }): Concerns {
  return (blocked) => {
    const socket = /^(wss?)(:|$)/.exec(blocked)?.[1];
    if (socket) {
      const port = socket === "ws" ? endpoint?.portWS : endpoint?.portWSS;
      return endpoint && `${socket}://${endpoint.host}${port ? `:${port}` : ""}`;
    }
    const origin = originOf(blocked);
    const ours = baseURL ? origin === originOf(baseURL) : /^https:\/\/api(-\w\w)?\.kii\.com$/.test(origin ?? "");
    return ours ? origin : undefined;
  };
}

function originOf(url: string): string | undefined {
  try {
    return new URL(url, globalThis.location?.href).origin;
  } catch {
    return undefined;
  }
}
