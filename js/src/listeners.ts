// Calls a user's functions so that none of them can disturb anything but itself.

import { report } from "./report.js";

/** The listeners of one event. */
export class Listeners<T> {
  #list: readonly { call: ((value: T) => void) | undefined }[] = [];

  /** Adds call; the function returned takes it away again. */
  add(call: (value: T) => void): () => void {
    const entry: { call: ((value: T) => void) | undefined } = { call };
    this.#list = [...this.#list, entry]; // a new list: one that is being walked stays as it is
    return () => {
      this.#list = this.#list.filter((other) => other !== entry);
      entry.call = undefined; // in a list that is being walked, too
    };
  }

  emit(value: T): void {
    for (const { call } of this.#list) {
      try {
        call?.(value);
      } catch (error) {
        report(error);
      }
    }
  }
}
