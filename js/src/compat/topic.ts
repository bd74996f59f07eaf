import type { Access } from "./access.js";
import { ask, inApp, succeeded, type Answer, type Ask } from "./call.js";
import { deliver, deliverList, type Callbacks } from "./callbacks.js";
import { badAnswer, failed, mistake } from "./errors.js";

/** A topic of the app, of a user or of a thing. */
export class KiiTopic {
  /** The segments of its path below the app. */
  readonly path: readonly string[];
  private readonly name: string;
  private readonly access: Access;

  constructor(scope: readonly string[], name: string, access: Access) {
    this.path = [...scope, "topics", name];
    this.name = name;
    this.access = access;
  }

  getName(): string {
    return this.name;
  }

  exists(callbacks?: Callbacks): Promise<boolean> {
    const action = "check topic";
    const work = async () => {
      const answer = await this.ask({ action, method: "HEAD" });
      if (succeeded(answer)) return true;
      if (answer.status === 404) return false;
      throw failed(action, answer, this);
    };
    return deliver(work, callbacks, (existed) => [existed]);
  }

  save(callbacks?: Callbacks): Promise<KiiTopic> {
    return this.change("save topic", "PUT", callbacks);
  }

  deleteTopic(callbacks?: Callbacks): Promise<KiiTopic> {
    return this.change("delete topic", "DELETE", callbacks);
  }

  sendMessage<T>(message: T, callbacks?: Callbacks): Promise<[KiiTopic, T]> {
    const work = async (): Promise<[KiiTopic, T]> => {
      if (typeof message !== "object" || message === null || Array.isArray(message)) {
        throw mistake("InvalidArgument: message should be an object that KiiPushMessageBuilder has built", this);
      }
      await this.command({
        action: "send messages",
        method: "POST",
        mediaType: "application/vnd.kii.SendPushMessageRequest+json",
        body: message,
      });
      return [this, message];
    };
    return deliverList(work, callbacks);
  }

  private change(action: string, method: "PUT" | "DELETE", callbacks: Callbacks): Promise<KiiTopic> {
    const work = async () => {
      await this.command({ action, method });
      return this;
    };
    return deliver(work, callbacks, (topic) => [topic]);
  }

  private async command(request: Omit<Ask, "path" | "access">): Promise<void> {
    const answer = await this.ask(request);
    if (!succeeded(answer)) throw failed(request.action, answer, this);
    if (answer.foreign) throw failed(request.action, badAnswer(answer), this);
  }

  /** Sends a request about the topic, or about its messages where there is a body. */
  private async ask(request: Omit<Ask, "path" | "access">): Promise<Answer> {
    try {
      const below = request.body === undefined ? [] : ["push", "messages"];
      return await ask({ ...request, path: inApp(...this.path, ...below), access: this.access });
    } catch (error) {
      throw failed(request.action, error as Error, this);
    }
  }
}
