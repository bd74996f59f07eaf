// The ways in which a user becomes the current one.

import { chosen, needed } from "./app.js";
import { ask, inApp, succeeded, urlOf, type Ask } from "./call.js";
import { checkIdentifier, checkPassword } from "./credentials.js";
import { badAnswer, mistake, pseudoUserFailed, userFailed, type Cause } from "./errors.js";
import { tokenLifetime } from "./lifetime.js";
import type { KiiUser } from "./user.js";

const tokenPath = ["oauth2", "token"];

export async function enter(user: KiiUser, identifier: unknown, password: unknown): Promise<KiiUser> {
  const identity = checkIdentifier(identifier);
  const checked = checkPassword(password, null);
  return authenticate(user.become(identity), identifier as string, checked);
}

async function authenticate(user: KiiUser, username: string, password: string): Promise<KiiUser> {
  const lifetime = tokenLifetime();
  const expiresAt = lifetime > 0 ? { expiresAt: Date.now() + Math.round(lifetime * 1000) } : undefined;
  const body = { username, password, ...expiresAt };
  const request: Ask = { action: "authenticate", method: "POST", path: tokenPath, mediaType: "application/json", body };
  const fail = (cause: Cause) => userFailed(cause, urlOf(tokenPath), user);
  const { id, access_token, expires_in } = await fields(request, ["id", "access_token"], fail);
  const seconds = typeof expires_in === "number" ? expires_in : undefined;
  user.logIn(id as string, access_token as string, seconds === undefined ? undefined : Date.now() + seconds * 1000);
  return user;
}

export async function enterWithToken(user: KiiUser, token: unknown, expiresAt: unknown): Promise<KiiUser> {
  if (typeof token !== "string" || token === "") throw mistake("InvalidArgument: accessToken should not null or empty", user);
  const path = inApp("users", "me");
  const request: Ask = { action: "authenticate with token", method: "GET", path, access: () => ({ token, userID: "me" }) };
  const json = await fields(request, ["userID"], (cause) => userFailed(cause, urlOf(path), user));
  user.take(json);
  user.logIn(json.userID as string, token, expiresAt instanceof Date ? expiresAt.getTime() : undefined);
  return user;
}

export async function register(user: KiiUser): Promise<KiiUser> {
  const registration = user.registration();
  if (!registration) throw mistake("InvalidArgument: only a user who was made with a name and a password can be registered", user);
  const path = inApp("users");
  const mediaType = "application/vnd.kii.RegistrationRequest+json";
  const request: Ask = { action: "register", method: "POST", path, mediaType, body: registration.fields };
  user.take(await fields(request, ["userID"], (cause) => userFailed(cause, urlOf(path), user)));
  return authenticate(user, registration.identifier, registration.password);
}

export async function registerAsPseudoUser(user: KiiUser, userFields: unknown): Promise<KiiUser> {
  if (userFields != null && (typeof userFields !== "object" || Array.isArray(userFields))) {
    throw mistake("InvalidArgument: userFields should be an object");
  }
  const mediaType = "application/vnd.kii.RegistrationAndAuthorizationRequest+json";
  const body = userFields ?? {};
  const request: Ask = { action: "register pseudo user", method: "POST", path: inApp("users"), mediaType, body };
  const json = await fields(request, ["userID", "_accessToken"], pseudoUserFailed);
  user.take(json);
  user.logIn(json.userID as string, json._accessToken as string, undefined);
  return user;
}

/** Sends a request whose answer is an object in which some texts have to be. */
async function fields(request: Ask, texts: string[], fail: (cause: Cause) => Error): Promise<Record<string, unknown>> {
  const app = needed();
  const answer = await ask(request).catch((error: Error) => {
    throw fail(error);
  });
  // A token of one app must not become that of the next one's user, to be sent to its site.
  if (chosen() !== app) throw mistake("Kii was initialized anew while the login was under way.");
  if (!succeeded(answer)) throw fail(answer);
  const json = (answer.json ?? {}) as Record<string, unknown>;
  if (!texts.every((name) => typeof json[name] === "string" && json[name] !== "")) throw fail(badAnswer(answer));
  return json;
}
