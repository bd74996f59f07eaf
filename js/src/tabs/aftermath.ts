// What a leader leaves behind that knew too late that it leads no more, or ended or crashed while it was connecting: its CONNECT may
// reach the broker yet, and displace the tab that leads then.

import type { StateChange } from "../../types/index.js";
import type { ToAll } from "./messages.js";

/** So long what such a tab did may take to show, in milliseconds. */
const aftermath = 10_000;

/** A tab that leads, or has led until now. */
export interface Concerned {
  /** How its connection stands, while it leads. */
  readonly state: StateChange["state"] | undefined;
  /** Its connection has changed. */
  changed(change: StateChange): void;
  say(message: ToAll): void;
  takeBack(): void;
}

export class Aftermath {
  readonly #tab: Concerned;
  #until = 0; // in milliseconds since 1970
  /** A CONNECT may be on its way. */
  #trying = false;

  constructor(tab: Concerned) {
    this.#tab = tab;
  }

  /** This tab leads. Who led before may have crashed in the state in which the tabs are. */
  begins(state: StateChange["state"] | undefined): void {
    if (state === "connecting") this.heard();
    this.#trying = false; // what it tried when it led before is over
  }

  /** This tab was robbed; follow has it lead no more. */
  robbed(follow: () => void): void {
    const displaced = this.#tab.state === "displaced";
    // Who hung was displaced by the tab that leads now, and no other. Who was not may displace that one yet.
    if (displaced) this.#tab.changed({ state: "connecting", reason: "Another tab has the connection now." });
    follow();
    if (!displaced) this.#tab.say({ type: "ghost" });
  }

  /** This tab is about to lead no more. */
  ends(): void {
    if (this.#trying) this.#tab.say({ type: "ghost" });
  }

  /** Another tab has left something behind, and says so. */
  heard(): void {
    this.#until = Date.now() + aftermath;
    this.changed();
  }

  /** The connection has changed. Takes it back, once, from a tab that has it and does not lead: that has ended its own, and nobody else fights for it. */
  changed(): void {
    const { state } = this.#tab;
    if (state && state !== "waiting") this.#trying = state === "connecting"; // a page that goes away waits
    if (state !== "displaced" || Date.now() > this.#until) return;
    this.#until = 0;
    this.#tab.takeBack();
  }
}
