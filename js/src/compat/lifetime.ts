import { mistake } from "./errors.js";

let seconds = 0;

/** How long the tokens of users' logins are to live, in seconds; 0 leaves that to the server. */
export function tokenLifetime(): number {
  return seconds;
}

export function setTokenLifetime(expiresIn: unknown): void {
  const number = typeof expiresIn === "string" && expiresIn.trim() !== "" ? Number(expiresIn) : expiresIn;
  if (typeof number !== "number" || !Number.isFinite(number)) throw mistake("InvalidArgument: expiresIn should be a number");
  if (number < 0) throw mistake("InvalidArgument: expiresIn should not negative number");
  seconds = number;
}
