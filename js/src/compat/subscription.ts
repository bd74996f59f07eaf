import type { Access } from "./access.js";
import { KiiBucket } from "./bucket.js";
import { ask, inApp, succeeded, type Answer } from "./call.js";
import { deliverList, type Callbacks } from "./callbacks.js";
import { badAnswer, failed, mistake } from "./errors.js";
import { KiiTopic } from "./topic.js";

/** What can be subscribed to. */
export type Target = KiiTopic | KiiBucket;

/** The subscriptions of one user or thing. */
export class KiiPushSubscription<S = unknown> {
  private readonly subscriber: S;
  /** The segments of the subscriber's path below the app; fails where that has no id. */
  private readonly path: () => readonly string[];
  private readonly access: Access;

  constructor(subscriber: S, path: () => readonly string[], access: Access) {
    this.subscriber = subscriber;
    this.path = path;
    this.access = access;
  }

  getSubscriber(): S {
    return this.subscriber;
  }

  subscribe<T extends Target>(target: T, callbacks?: Callbacks): Promise<[KiiPushSubscription<S>, T]> {
    return this.change("subscribe", "PUT", target, callbacks);
  }

  unsubscribe<T extends Target>(target: T, callbacks?: Callbacks): Promise<[KiiPushSubscription<S>, T]> {
    return this.change("unsubscribe", "DELETE", target, callbacks);
  }

  isSubscribed<T extends Target>(target: T, callbacks?: Callbacks): Promise<[KiiPushSubscription<S>, T, boolean]> {
    const action = "Check is subscribed";
    const work = async (): Promise<[KiiPushSubscription<S>, T, boolean]> => {
      const answer = await this.ask(action, "GET", target);
      if (!succeeded(answer) && !isMissing(answer)) throw failed(action, answer, this);
      if (answer.foreign) throw failed(action, badAnswer(answer), this);
      return [this, target, succeeded(answer)];
    };
    return deliverList(work, callbacks, told);
  }

  private change<T extends Target>(
    action: string,
    method: "PUT" | "DELETE",
    target: T,
    callbacks: Callbacks,
  ): Promise<[KiiPushSubscription<S>, T]> {
    const work = async (): Promise<[KiiPushSubscription<S>, T]> => {
      const answer = await this.ask(action, method, target);
      if (!succeeded(answer)) throw failed(action, answer, this);
      if (answer.foreign) throw failed(action, badAnswer(answer), this);
      return [this, target];
    };
    return deliverList(work, callbacks, told);
  }

  private async ask(action: string, method: "GET" | "PUT" | "DELETE", target: Target): Promise<Answer> {
    if (!(target instanceof KiiTopic) && !(target instanceof KiiBucket)) throw mistake(invalidTarget, this);
    try {
      return await ask({ action, method, path: inApp(...target.path, "push", "subscriptions", ...this.path()), access: this.access });
    } catch (error) {
      throw failed(action, error as Error, this);
    }
  }
}

const invalidTarget = "InvalidArgument: target is invalid";

// A target that is none is told to failure as text, as it always was.
function told(error: Error): unknown[] {
  return [error.message === invalidTarget ? error.message : error];
}

function isMissing({ status, json }: Answer): boolean {
  return status === 404 && (json as { errorCode?: unknown } | undefined)?.errorCode === "PUSH_SUBSCRIPTION_NOT_FOUND";
}
