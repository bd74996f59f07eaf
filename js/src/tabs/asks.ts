// Calls to another tab: each is answered, or rejects when that tab is gone.

import type { CallOptions } from "../../types/index.js";
import { Clock, maxTimeout } from "../calls.js";
import { aborted, KiiError } from "../errors.js";
import { plain, unpackError } from "../workermessages.js";
import type { LinkOptions } from "../host.js";
import type { ToOne } from "./messages.js";

/** So long after its own timeout a call ends without the other tab's word, in milliseconds. */
const grace = 2000;

/** The other tab does not make the call; taken: it may have begun to. Nobody sees it but who asks elsewhere then. */
export class Passed extends Error {
  declare readonly taken: boolean;

  constructor(taken: boolean) {
    super();
    this.taken = taken;
  }
}

interface Pending {
  readonly to: string;
  readonly topic: string | undefined;
  taken: boolean;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

export class Asks {
  readonly #me: string;
  readonly #post: (to: string, message: ToOne) => void;
  readonly #pending = new Map<number, Pending>();
  #ids = 0;

  constructor(me: string, post: (to: string, message: ToOne) => void) {
    this.#me = me;
    this.#post = post;
  }

  /**
   * Has the tab to make a call. With confirm it has so many milliseconds to say that it will; the error is
   * Passed when it does not, or is gone.
   */
  async ask(
    to: string,
    topic: string | undefined,
    method: string,
    args: unknown[],
    { signal, timeout, rawProperties, ...rest }: CallOptions & LinkOptions,
    confirm?: number,
  ): Promise<unknown> {
    const id = ++this.#ids;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const answer = new Promise<unknown>((resolve, reject) => {
      if (signal?.aborted) throw aborted(signal);
      const raw = rawProperties && { rawProperties: plain(rawProperties, []) };
      const crossing = { args: args.map((arg) => plain(arg, [])), options: { ...(plain(rest, []) as object), ...raw } };
      const pending: Pending = { to, topic, taken: confirm === undefined, resolve, reject };
      this.#pending.set(id, pending);
      const takeUntil = confirm && Date.now() + confirm / 2; // so that its word has the other half to arrive in
      this.#post(to, { type: "ask", id, from: this.#me, topic, method, ...crossing, timeout, takeUntil });
      // A page that was busy for so long may have the word in its queue, behind this timer.
      const late = () => (timer = setTimeout(() => pending.taken || reject(new Passed(false))));
      if (confirm !== undefined) timer = setTimeout(late, confirm);
    });
    try {
      return await extended({ signal, timeout } as CallOptions, grace).bound(answer);
    } catch (error) {
      this.#post(to, { type: "abort", id, from: this.#me }); // it may be on its way to be made
      throw error;
    } finally {
      clearTimeout(timer);
      this.#pending.get(id)?.reject(0); // nobody hears of it, but what bounds it ends
      this.#pending.delete(id);
    }
  }

  receive(message: ToOne): void {
    if (!("id" in message)) return;
    const pending = this.#pending.get(message.id);
    switch (message.type) {
      case "taken":
        if (pending) pending.taken = true;
        break;
      case "result":
        pending?.resolve(message.value);
        break;
      case "error":
        pending?.reject(unpackError(message.error));
        break;
      case "passed":
        pending?.reject(new Passed(pending.taken));
    }
  }

  /** Some calls, told by the tab and the topic, get no answer any more. */
  gone(is: (tab: string, topic: string | undefined) => boolean): void {
    for (const { to, topic, taken, reject } of this.#pending.values()) if (is(to, topic)) reject(new Passed(taken));
  }
}

/** Measures a call that has so many milliseconds more than it says, for the word of who makes it: that knows why it fails. */
export function extended({ signal, timeout }: CallOptions, grace: number): Clock {
  return new Clock({ signal, timeout: timeout && Math.min(timeout + grace, maxTimeout) } as CallOptions);
}

/** What may have happened or not. */
export function lostCall(): KiiError {
  return new KiiError("The tab that made the call is gone.", {
    code: "NETWORK",
    retryable: true,
    remedy: "Find out whether the call has had its effect, or make it again.",
  });
}

/** Calls that can be made twice and come to the same. */
const repeatable = new Set([
  "installMqtt", "getMqttEndpoint", "topicExists", "listTopics", "subscribe", "unsubscribe", "isSubscribed", "takeBack",
]);

export function mayRepeat(method: string, options: object): boolean {
  if (method === "publish" || method === "send") return ((options as { qos?: number }).qos ?? 1) === 1; // at least once is what QoS 1 says
  return repeatable.has(method);
}
