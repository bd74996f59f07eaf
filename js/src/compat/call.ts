// Calls of the REST API, which the module makes: paths, headers, times and the rule that
// credentials stay off open networks are in one place, in Go.

import { needed } from "./app.js";
import type { Access } from "./access.js";

/** What the server said. json is undefined where its body is empty or no JSON. */
export interface Answer {
  readonly status: number;
  readonly json: unknown;
  /** There was a body, and it is no JSON. */
  readonly foreign?: boolean;
}

/** A request that the module has no method for. */
export interface Ask {
  /** What the caller wants, for the texts of errors. */
  action: string;
  method: "GET" | "PUT" | "POST" | "DELETE" | "HEAD";
  /** Segments behind the base URL. */
  path: readonly string[];
  mediaType?: string;
  /** A value that JSON can hold. */
  body?: unknown;
  paginationKey?: string | undefined;
  /** Without it there is no Authorization. */
  access?: Access;
}

/** The segments of a path below the app. */
export function inApp(...path: string[]): string[] {
  return ["apps", needed().appID, ...path];
}

/** The URL of a path, for the texts of errors. */
export function urlOf(path: readonly string[]): string {
  return [needed().site, ...path.map(encodeURIComponent)].join("/");
}

/** Gives the answer, whatever its status. Rejects with a KiiError where there is none. */
export async function ask({ access, path, body, ...request }: Ask): Promise<Answer> {
  const token = access?.()?.token;
  const sent = {
    ...request,
    path,
    ...(token && { token }),
    ...(body === undefined ? undefined : { body: written(body) }),
  };
  if (sent.paginationKey === undefined) delete sent.paginationKey;
  const answer = (await needed().host.call("ask", [sent])) as { status: number; body: string };
  const json = parsed(answer.body);
  return { status: answer.status, json, foreign: json === undefined && answer.body !== "" };
}

/** Calls a method of the module as whoever access gives. */
export function callAs(access: Access, method: string, first: unknown, second?: unknown): Promise<unknown> {
  return needed().host.call("as", [access(), method, first, second]);
}

export function succeeded({ status }: Answer): boolean {
  return status >= 200 && status < 300;
}

function written(body: unknown): string {
  try {
    const text: unknown = JSON.stringify(body);
    if (typeof text === "string") return text;
  } catch (cause) {
    throw new Error("The argument cannot be written as JSON.", { cause });
  }
  throw new Error("The argument cannot be written as JSON.");
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body) as unknown;
  } catch {
    return undefined;
  }
}
