// A tab's place in the election of who has a topic's connection: performs what the steps of that decide, as far as locks are
// concerned, and has the tab do the rest.

import { Clock } from "../calls.js";
import { Claim } from "./claim.js";
import { start, step, type Effect, type Event, type Role } from "./election.js";
import type { Names } from "./messages.js";
import type { Surroundings } from "./surroundings.js";

/** How long a leader that closes may say goodbye before the next one connects, in milliseconds. */
const goodbye = 1000;

/** The tab, and what it does of itself. */
export interface Candidate {
  /** Opens the connection. */
  lead(): void;
  /** Closes it. The promise settles when the goodbye is said. */
  stop(): Promise<unknown>;
  /** Asks who leads. */
  hello(): void;
  /** Asks whether that tab lives. */
  ping(): void;
  /** Another tab has stolen the lock. follow does what follows of that in the election. */
  robbed(follow: () => void): void;
  /** The role is another one now. */
  changed(): void;
}

export class Candidacy {
  readonly #locks: Surroundings["locks"];
  readonly #names: Names;
  readonly #topic: string;
  readonly #candidate: Candidate;
  #state = start;
  #claim: Claim | undefined;
  /** By which others see that this tab stands still, and will listen again. */
  #frozen: Claim | undefined;
  /** What is given back when the goodbye is over. */
  #closing: Claim | undefined;
  #ending: Promise<unknown> | undefined;

  constructor({ locks }: Surroundings, names: Names, topic: string, candidate: Candidate) {
    this.#locks = locks;
    this.#names = names;
    this.#topic = topic;
    this.#candidate = candidate;
  }

  get role(): Role {
    return this.#state.role;
  }

  happens(event: Event): void {
    const before = this.role;
    const [state, effects] = step(this.#state, event);
    this.#state = state;
    for (const effect of effects) this.#perform(effect);
    if (state.role === before) return;
    if (state.role === "out") this.#frozen?.end();
    this.#candidate.changed();
  }

  /** The page goes to stand still; aside: and hears nothing any more. Tells whether this tab took part. */
  suspend(aside: boolean): boolean {
    const { role } = this;
    this.happens("suspend");
    this.#closing?.end(); // there is no time for a goodbye any more
    if (role === "out" || role === "away") return false;
    if (!aside) this.#frozen = new Claim(this.#locks, this.#names.frozen(this.#topic), "share", {});
    return true;
  }

  resume(): void {
    if (this.role !== "away") return;
    this.happens("resume");
    this.#frozen?.end(); // after the request: whoever leads sees that there is an audience all the time
  }

  #perform(effect: Effect): void {
    switch (effect) {
      case "request":
      case "steal":
        this.#claim = new Claim(this.#locks, this.#names.topic(this.#topic), effect === "steal" ? "steal" : "wait", {
          granted: () => this.happens("granted"),
          robbed: () => this.#candidate.robbed(() => this.happens("robbed")),
          barred: () => this.happens("barred"),
        });
        break;
      case "withdraw":
        this.#claim!.end();
        break;
      case "release": {
        const claim = (this.#closing = this.#claim!);
        // Who closes says goodbye first; a page that goes away has no time for that.
        if (this.role === "away") claim.end();
        else void new Clock({ timeout: goodbye }).bound(this.#ending!).catch(() => {}).then(() => claim.end()); // a crash says no goodbye
        break;
      }
      case "stop":
        this.#ending = this.#candidate.stop();
        break;
      default:
        this.#candidate[effect]();
    }
  }
}
