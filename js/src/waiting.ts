// Says in a TIMEOUT which of the library's files it was that did not come.

import type { Clock } from "./calls.js";
import type { KiiError } from "./errors.js";

/** Waits for work as clock does. A TIMEOUT names what file gives by then: what has not loaded; and says retry, where that is not the usual. */
export async function loaded<T>(clock: Clock, work: Promise<T>, file: () => string | undefined, retry?: string): Promise<T> {
  try {
    return await clock.bound(work);
  } catch (cause) {
    const name = file();
    const error = cause as KiiError;
    if (name && error.code === "TIMEOUT") {
      const { message, remedy } = error;
      Object.assign(error, { message: `${message} ${name} has not loaded.`, remedy: `Check that the server answers for ${name}. ${retry ?? remedy}` });
    }
    throw error;
  }
}
