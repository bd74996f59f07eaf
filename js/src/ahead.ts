// Begins to fetch kiiweb.wasm while the file that goes on with it is still on its way.

import { watchPolicy, type PolicyWatch } from "./policy.js";

/** A fetch that has begun. Who takes it over ends its watch. */
export interface Ahead {
  readonly response: Promise<Response>;
  /** What the policy has had to say since before the fetch. */
  readonly policy: PolicyWatch;
  /** Ends it where nobody takes it over. */
  drop(): void;
}

const begun = new Set<string>();

/** Fetches what is at url, once: from then on it is known to what takes over. */
export function fetchAhead(url: string): Ahead | undefined {
  if (begun.has(url)) return undefined;
  begun.add(url);
  const policy = watchPolicy(url);
  const stop = new AbortController();
  const response = new Promise<Response>((resolve) => resolve(fetch(url, { signal: stop.signal })));
  response.catch(() => {}); // who takes it over tells
  return {
    response,
    policy,
    drop() {
      begun.delete(url);
      policy.end();
      stop.abort();
    },
  };
}
