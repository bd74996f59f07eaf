// What has topics and buckets: the app, a user, a thing.

import type { Access } from "./access.js";
import { KiiBucket } from "./bucket.js";
import { ask, inApp, succeeded } from "./call.js";
import { deliverList, type Callbacks } from "./callbacks.js";
import { badAnswer, failed, mistake } from "./errors.js";
import { KiiTopic } from "./topic.js";

/** The segments of a scope's path below the app: none for the app itself. */
export type Scope = readonly string[];

export function topicOf(scope: Scope, name: unknown, access: Access): KiiTopic {
  if (typeof name !== "string" || name === "") throw mistake("InvalidArgument: topicName should not null or empty");
  return new KiiTopic(scope, name, access);
}

export function bucketOf(scope: Scope, name: unknown): KiiBucket {
  if (typeof name !== "string" || name === "") throw mistake("InvalidArgument: bucketName should not null or empty");
  return new KiiBucket(scope, name);
}

export function listTopics(
  scope: () => Scope,
  access: Access,
  target: unknown,
  callbacks: Callbacks,
  paginationKey: unknown,
): Promise<[KiiTopic[], string | null]> {
  const work = async (): Promise<[KiiTopic[], string | null]> => {
    const action = "list topics";
    if (paginationKey != null && (typeof paginationKey !== "string" || paginationKey === "")) {
      throw mistake("InvalidArgument: paginationKey should be a string that is not empty", target);
    }
    try {
      const where = scope();
      const request = { action, method: "GET", path: inApp(...where, "topics"), access } as const;
      const answer = await ask(paginationKey == null ? request : { ...request, paginationKey: paginationKey as string });
      if (!succeeded(answer)) throw failed(action, answer, target);
      const { topics, paginationKey: next } = (answer.json ?? {}) as Record<string, unknown>;
      if (!Array.isArray(topics)) throw failed(action, badAnswer(answer), target);
      const names = topics.map((topic: { topicID?: unknown } | null) => topic?.topicID);
      const known = names.filter((name) => typeof name === "string" && name !== "") as string[];
      return [known.map((name) => new KiiTopic(where, name, access)), typeof next === "string" ? next : null];
    } catch (error) {
      throw failed(action, error as Error, target);
    }
  };
  return deliverList(work, callbacks);
}
