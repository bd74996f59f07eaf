// How the program gets a new token in place of one that the server has refused.

import type { Login, Owner } from "../types/index.js";
import { Clock, defaultTimeout } from "./calls.js";
import type { Settings } from "./options.js";

/**
 * Has the program ask the user's getToken, where there is one. What that gives belongs to the login
 * in force: enter makes it so, as it is in the program.
 */
export function renewing(settings: Settings, current: () => Login | null, enter: (login: Login) => void): Settings {
  const { getToken, ...rest } = settings;
  if (!getToken) return rest;
  const ask = async (owner: Owner): Promise<string | null> => {
    const before = current();
    const asked = new Promise<unknown>((resolve) => resolve(getToken(owner)));
    const token = (await new Clock({ timeout: defaultTimeout }).bound(asked)) ?? null;
    if (before && current() === before && isToken(token)) enter({ ...owner, token });
    return token as string | null; // the program says what is wrong with another value
  };
  return { ...rest, config: { ...rest.config, getToken: ask } };
}

/** As the program sees it: what a header can carry. */
function isToken(value: unknown): value is string {
  return typeof value === "string" && /^[!-~]+$/.test(value);
}
