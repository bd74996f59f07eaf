// Names the worker's script to pages whose Content-Security-Policy asks for Trusted Types.

interface Factory {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): { createScriptURL(url: string): unknown };
}

let policy: ReturnType<Factory["createPolicy"]> | undefined;

/** The one policy is called kiiweb. It stays in here, and is asked for addresses that were checked before. */
export function trustedScriptURL(url: string): string {
  const { trustedTypes } = globalThis as { trustedTypes?: Factory };
  try {
    policy ??= trustedTypes?.createPolicy("kiiweb", { createScriptURL: (checked) => checked });
  } catch {
    return url; // not allowed: where the page asks for Trusted Types, the worker's constructor will say so
  }
  return policy ? (policy.createScriptURL(url) as string) : url;
}
