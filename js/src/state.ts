import type { State } from "../types/index.js";

/** Tells whether nothing follows a state. */
export function isFinal(state: State): boolean {
  return state === "closed" || state === "failed";
}
