// Tells whether a failure is the page's Content-Security-Policy speaking: a blocked fetch
// itself says no more than "Failed to fetch".

export interface PolicyWatch {
  /** The directive that was violated since the watch began, if any. Tasks already queued are waited for. */
  violation(): Promise<string | undefined>;
  end(): void;
}

/** Watches for violations that concern url or WebAssembly; without url, those that keep a script out. */
export function watchPolicy(url?: string): PolicyWatch {
  let violated: string | undefined;
  const listener = (event: Event) => {
    const { blockedURI, effectiveDirective } = event as SecurityPolicyViolationEvent;
    const concerns = url ? blockedURI.startsWith("wasm") || sameResource(blockedURI, url) : /^script-src(-elem)?$/.test(effectiveDirective);
    if (concerns) violated ??= effectiveDirective;
  };
  globalThis.addEventListener?.("securitypolicyviolation", listener);
  return {
    async violation() {
      await new Promise((resolve) => setTimeout(resolve, 0)); // the event is queued behind the failure
      return violated;
    },
    end: () => globalThis.removeEventListener?.("securitypolicyviolation", listener),
  };
}

// A report names the whole URL, or after a redirect to another origin its origin alone.
function sameResource(blocked: string, url: string): boolean {
  return blocked !== "" && (url === blocked || url.startsWith(`${blocked}?`) || new URL(url).origin === blocked);
}
