// Whose access token a call uses. What comes from a thing's or an administrator's context
// uses theirs; everything else uses the current user's, whoever that is when the call is made.

import type { Login } from "../../types/index.js";

/** Gives who calls, or null where nobody is logged in. */
export type Access = () => Login | null;

/** The current user, as far as this concerns its token. */
export interface Holder {
  getID(): string | undefined;
  getAccessToken(): string | undefined;
}

let holder: Holder | null = null;

export function currentHolder(): Holder | null {
  return holder;
}

export function currentUserChanged(user: Holder | null): void {
  holder = user;
}

/** The access of the current user. */
export const byCurrentUser: Access = () => {
  const token = holder?.getAccessToken();
  const userID = holder?.getID();
  return token && userID ? { token, userID } : null;
};

export function byThing(thingID: string, token: string): Access {
  return () => ({ token, thingID });
}

export function byAdministrator(id: string, token: string): Access {
  return () => ({ token, userID: id });
}
