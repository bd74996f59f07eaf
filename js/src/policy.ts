// Tells whether a failure is the page's Content-Security-Policy speaking: a blocked fetch
// itself says no more than "Failed to fetch".

/** Whose policy is in force here. */
export function policyOwner(): string {
  return globalThis.document ? "the page" : "the worker's script";
}

export interface PolicyWatch {
  /** The directive that was violated since the watch began, if any. Tasks already queued are waited for. */
  violation(): Promise<string | undefined>;
  end(): void;
}

/** Watches for violations that concern url, WebAssembly or Trusted Types; without url, those that keep a script out. */
export function watchPolicy(url?: string): PolicyWatch {
  let violated: string | undefined;
  const listener = (event: Event) => {
    const { blockedURI, disposition, effectiveDirective } = event as SecurityPolicyViolationEvent;
    const concerns = url ? /^(wasm|trusted-types)/.test(blockedURI) || sameResource(blockedURI, url) : /^script-src(-elem)?$/.test(effectiveDirective);
    if (concerns && disposition !== "report") violated ??= effectiveDirective;
  };
  globalThis.addEventListener?.("securitypolicyviolation", listener);
  return {
    async violation() {
      await new Promise((resolve) => setTimeout(resolve)); // the event is queued behind the failure
      return violated;
    },
    end: () => globalThis.removeEventListener?.("securitypolicyviolation", listener),
  };
}

// A report names the whole URL, or after a redirect to another origin its origin alone.
function sameResource(blocked: string, url: string): boolean {
  return url === blocked || url.startsWith(`${blocked}?`) || new URL(url).origin === blocked;
}
