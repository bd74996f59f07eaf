// What names and passwords have to look like before they are sent.

import { mistake } from "./errors.js";

const username = /^[\w.\\-]{3,64}$/;
const email = /^[^@]+@[^@]+$/;
const phone = /^\+?\d{10,}$/;
const password = /^[ -~]{4,50}$/;

/** What a user is known by. */
export interface Identity {
  loginName?: string;
  emailAddress?: string;
  phoneNumber?: string;
}

export function checkUsername(value: unknown): string {
  if (typeof value === "string" && username.test(value.trim())) return value.trim();
  throw mistake(
    "Unable to set username. Must be between 3 and 64 characters, which can include alphanumeric characters as well as underscores '_' and periods '.'",
  );
}

export function checkEmail(value: unknown): string {
  if (typeof value === "string" && email.test(value.trim())) return value.trim();
  throw mistake("Unable to set email address. Must be a valid email");
}

export function checkPhone(value: unknown): string {
  if (typeof value === "string" && phone.test(value.trim())) return value.trim();
  throw mistake("Unable to set phone number. Must begin with a '+' and be at least 10 digits");
}

/** target is null where a login has no user yet that the error could be about. */
export function checkPassword(value: unknown, target?: null): string {
  if (typeof value === "string" && password.test(value)) return value;
  throw mistake("Unable to set password. Must be between 4-50 characters composed with ascii (exclude control character)", target);
}

/** What stands for a user in a login: one of the three. */
export function checkIdentifier(value: unknown): Identity {
  if (typeof value === "string") {
    if (email.test(value)) return { emailAddress: value };
    if (phone.test(value)) return { phoneNumber: value };
    if (username.test(value)) return { loginName: value };
  }
  throw mistake("User identifier should be one of user name, phone number or email", null);
}
