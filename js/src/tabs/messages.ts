// What the tabs of one owner say to each other, and by which names they find each other.

import type { StateChange } from "../../types/index.js";
import type { Batch } from "../batch.js";
import type { Config } from "../options.js";
import { packError, unpackError } from "../workermessages.js";
import type { Seats } from "./term.js";

/**
 * Part of every name but one. Tabs with loaders of different versions may be open at a time: when what is
 * said here changes, or the layout of a batch, this does, and they do not meet.
 */
export const protocol = 4;

/** An error on its way to another tab. */
type Crossing = ReturnType<typeof packError>;

export type CrossingChange = Omit<StateChange, "error"> & { error?: Crossing };

/** Said to all who have a connection of the same owner to the same topic. */
export type ToAll =
  /** A tab has opened a connection and asks who leads. */
  | { type: "hello"; from: string }
  /** A tab has closed its last one, or its page goes away. */
  | { type: "bye"; from: string }
  /** What a tab that led has sent may yet displace who leads now. */
  | { type: "ghost" }
  /** Does the leader live? */
  | { type: "ping"; from: string }
  /**
   * The leader, and how its connection stands; null before it knows. Comes at each change, each with a number of
   * its own, when seats change, and as the answer to hello and ping.
   */
  | { type: "lead"; from: string; change: CrossingChange | null; number: number; seats: Seats }
  /** Messages, with all names that their table refers to. */
  | { type: "batch"; from: string; batch: Batch };

/** Said to one tab. */
export type ToOne =
  /**
   * A call to be made by the leader: on its connection to topic or, without that, of the client. takeUntil asks
   * for a word at once, and is when the caller stops waiting for it, in milliseconds since 1970: later the
   * call is not to be made, for by then it is made elsewhere.
   */
  | { type: "ask"; id: number; from: string; topic: string | undefined; method: string; args: unknown[]; options: object; timeout: number | undefined; takeUntil: number | undefined }
  /** The caller's signal has ended it. */
  | { type: "abort"; id: number; from: string }
  | { type: "wake"; topic: string; cause: string }
  | { type: "taken"; id: number }
  | { type: "result"; id: number; value: unknown }
  | { type: "error"; id: number; error: Crossing }
  /** It was not made, or not finished: this tab does not lead any more, or not this owner's. */
  | { type: "passed"; id: number };

/** Said to every tab of an owner, of whatever version: when logout was called, in milliseconds since 1970. This stays as it is. */
export type ToOwner = { type: "logout"; from: string; said: number };

/** The regions' base URLs are this with the region in lower case. That of US, the oldest, has none. */
const region = "https://api-*.kii.com/api";

/** One name for a cloud, which can be given in several ways. */
function cloudOf({ site, baseURL }: Config): string {
  const url = baseURL ?? region.replace("-*", site === "US" ? "" : `-${site!.toLowerCase()}`);
  try {
    return new URL(url).href.replace(/\/+$/, "");
  } catch {
    return url; // the module says what is wrong with it
  }
}

/** The names of one owner's locks and channels. Names are private to an origin; none of them is a secret. */
export class Names {
  readonly #who: string;
  readonly #base: string;

  /** owner is a user's or thing's id; thing tells which. */
  constructor(config: Config, owner: string, thing: boolean) {
    const { appID } = config;
    const cloud = cloudOf(config);
    this.#who = JSON.stringify([appID, cloud, thing ? "thing" : "user", owner]);
    this.#base = `kiiweb tabs ${protocol} ${this.#who}`;
  }

  /** Channel of ToOwner, which has no protocol's number: who logs out does so in tabs with older and newer loaders, too. */
  get owner(): string {
    return `kiiweb owner ${this.#who}`;
  }

  /** The lock of who leads a topic's connection, and the channel ToAll of those who share it. */
  topic(topic: string): string {
    return `${this.#base} topic ${topic}`;
  }

  /** A lock that those share whose page stands still and will listen again. */
  frozen(topic: string): string {
    return `${this.#base} frozen ${topic}`;
  }

  /** A lock that a tab has which has subscribed to further filters. */
  seat(topic: string, id: string): string {
    return `${this.#base} seat ${id} ${topic}`;
  }

  /** A tab's channel ToOne. */
  tab(id: string): string {
    return `${this.#base} tab ${id}`;
  }

  /** A tab's channel to itself, while it leads. */
  echo(id: string, topic: string): string {
    return `${this.#base} echo ${id} ${topic}`;
  }

  /** The lock by which others see that a tab leads and takes calls. */
  serving(id: string): string {
    return `${this.#base} serving ${id}`;
  }

  /** The tab whose lock serving has this name. */
  server(lock: string): string | undefined {
    const prefix = this.serving("");
    return lock.startsWith(prefix) ? lock.slice(prefix.length) : undefined;
  }
}

export function packChange({ error, ...change }: StateChange): CrossingChange {
  return { ...change, ...(error && { error: packError(error) }) };
}

export function unpackChange({ error, ...change }: CrossingChange): StateChange {
  return { ...change, ...(error && { error: unpackError(error) as NonNullable<StateChange["error"]> }) };
}
