// A user as the server describes one: the fields that have a method of their own, and the app's.

/** The fields of the REST API, by its names. */
export interface KnownFields {
  loginName?: string;
  displayName?: string;
  country?: string;
  locale?: string;
  emailAddress?: string;
  emailAddressVerified?: boolean;
  phoneNumber?: string;
  phoneNumberVerified?: boolean;
  _emailAddressPending?: string;
  _phoneNumberPending?: string;
  _hasPassword?: boolean;
  _disabled?: boolean;
  _created?: number;
  createdAt?: number;
  _modified?: number;
  modifiedAt?: number;
  _thirdPartyAccounts?: Record<string, unknown>;
}

const known: Record<keyof KnownFields, true> = {
  loginName: true,
  displayName: true,
  country: true,
  locale: true,
  emailAddress: true,
  emailAddressVerified: true,
  phoneNumber: true,
  phoneNumberVerified: true,
  _emailAddressPending: true,
  _phoneNumberPending: true,
  _hasPassword: true,
  _disabled: true,
  _created: true,
  createdAt: true,
  _modified: true,
  modifiedAt: true,
  _thirdPartyAccounts: true,
};

/** The fields of a user that are no field of it: identity and secrets. */
const apart = ["userID", "_accessToken", "password"];

/** Sorts what an answer says into the fields that are known and the app's own. */
export function sorted(json: object): { known: KnownFields; own: Record<string, unknown> } {
  const fields: Record<string, unknown> = {};
  const own: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(json)) {
    if (Object.hasOwn(known, name)) fields[name] = value;
    else if (!apart.includes(name)) own[name] = value;
  }
  return { known: fields as KnownFields, own };
}
