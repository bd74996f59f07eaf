// Errors in the words of Kii's JavaScript SDK, which apps match on. There are two families
// of texts, one for users and one for everything else.

import type { KiiError } from "../../types/index.js";
import type { Answer } from "./call.js";

/** Why a call failed: an answer that is no success, or an error that kept it from having one. */
export type Cause = Answer | Error;

/** An Error that names the object that it is about. */
export interface TargetedError extends Error {
  target?: unknown;
}

/** The message is about a caller's mistake; nothing was sent. */
export function mistake(message: string, target?: unknown): TargetedError {
  return targeted(message, target);
}

/** "<action> failed. statusCode: N[ error code: C][ message: M]". */
export function failed(action: string, cause: Cause, target?: unknown): TargetedError {
  return toldBefore(cause, target) ?? targeted(text(`${action} failed.`, cause, "message"), target, cause);
}

/** The words of failed for the registration of a user without a name, which differ. */
export function pseudoUserFailed(cause: Cause): TargetedError {
  return toldBefore(cause, undefined) ?? targeted(text("failed to register pseudo user.", cause, "error message"), undefined, cause);
}

/** "<error code>[: <message>]", or "<status> : <url>" where the server gave no error code. */
export function userFailed(cause: Cause, url: string, target?: unknown): TargetedError {
  const before = toldBefore(cause, target);
  if (before) return before;
  const { status, code, message, description } = facts(cause);
  const words = message ?? description;
  return targeted(code ? (words ? `${code}: ${words}` : code) : `${status} : ${url}`, target, cause);
}

/** A success that is none: the body is not what a Kii-compatible API sends. */
export function badAnswer({ status }: Answer): Answer {
  const errorCode = "BAD_RESPONSE";
  return { status, json: { errorCode, message: "The answer is not one of a Kii-compatible API." } };
}

function text(beginning: string, cause: Cause, word: string): string {
  const { status, code, message } = facts(cause);
  return `${beginning} statusCode: ${status}${code ? ` error code: ${code}` : ""}${message ? ` ${word}: ${message}` : ""}`;
}

interface Facts {
  status: number;
  code?: string | undefined;
  message?: string | undefined;
  description?: string | undefined;
}

function facts(cause: Cause): Facts {
  if (!(cause instanceof Error)) {
    const { errorCode, message, error_description } = (cause.json ?? {}) as Record<string, unknown>;
    return { status: cause.status, code: said(errorCode), message: said(message), description: said(error_description) };
  }
  if (!isKiiError(cause)) return { status: 0, message: cause.message };
  if (cause.code === "BAD_RESPONSE") return { status: cause.status ?? 0, code: cause.code, message: cause.message };
  if (cause.status) return { status: cause.status, code: cause.kiiCode, message: cause.kiiMessage };
  if (cause.code === "NOT_LOGGED_IN") return { status: 401, code: "UNAUTHORIZED", message: cause.message };
  if (cause.code === "NETWORK") return { status: 0 };
  return { status: 0, code: cause.code, message: cause.message };
}

// Not instanceof: the loader is a file of its own, and so is its class.
function isKiiError(error: Error): error is KiiError {
  return error.name === "KiiError";
}

function said(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** A mistake keeps its own words. */
function toldBefore(cause: Cause, target: unknown): TargetedError | undefined {
  if (!(cause instanceof Error)) return undefined;
  if ("target" in cause) return cause;
  if (!isKiiError(cause)) return targeted(cause.message, target, cause);
  return cause.code === "INVALID_ARGUMENT" && !cause.status ? targeted(cause.message, target, cause) : undefined;
}

function targeted(message: string, target: unknown, cause?: Cause): TargetedError {
  return Object.assign(new Error(message, cause instanceof Error ? { cause } : undefined), { target });
}
