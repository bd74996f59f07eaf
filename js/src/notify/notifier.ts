// The page's side: shows a notification for what arrives while no page of the app is visible.

import type { CallOptions, Connection, Kii, KiiError as PublicError, Message } from "../../types/index.js";
import type { NotificationContent, Notifier, NotifierEvents, NotifierOptions, NotifyPermission } from "../../types/notify.js";
import { callOptions, Clock, copyOptions } from "../calls.js";
import { disposed, invalidArgument, KiiError } from "../errors.js";
import { Listeners } from "../listeners.js";
import { report } from "../report.js";
import { isFinal } from "../state.js";
import { isClick, sameOrigin, type Mark } from "./mark.js";
import { missing, noRegistration, Permission } from "./permission.js";
import { Presence } from "./presence.js";
import { activated } from "./registration.js";

/** So many messages may wait to be shown; then the oldest is not: nobody reads more notifications than that. */
const maxWaiting = 50;

/** By that user property the cloud names a push. */
const idKey = "pushMessageID";

type Content = NotifierOptions["content"];

/** Where browsers do not know `using`, compilers look for the registered one. */
const disposeSymbol: typeof Symbol.dispose = Symbol.dispose ?? Symbol.for("Symbol.dispose");

export async function notifications(kii: Pick<Kii, "tabs">, options: NotifierOptions): Promise<Notifier> {
  const { content, registration } = copyOptions<NotifierOptions>("options", options);
  if (typeof kii !== "object" || kii === null) throw invalidArgument("kii must be what load gave.");
  if (typeof content !== "function") throw invalidArgument("options.content must be a function.");
  const clock = new Clock(callOptions(options));
  let obstacle = missing();
  let found: ServiceWorkerRegistration | undefined;
  if (!obstacle) {
    const wanted = Promise.resolve(registration ?? navigator.serviceWorker.getRegistration());
    let refused: unknown;
    found = (await clock.bound(wanted.catch((cause: unknown) => void (refused = cause)))) as ServiceWorkerRegistration | undefined;
    if (typeof found?.showNotification !== "function") obstacle = noRegistration(refused);
  }
  return new PageNotifier(kii, content, found, obstacle);
}

class PageNotifier implements Notifier {
  readonly #kii: Pick<Kii, "tabs">;
  readonly #content: Content;
  readonly #registration: ServiceWorkerRegistration | undefined;
  readonly #listeners = {
    permission: new Listeners<NotifyPermission>(),
    click: new Listeners<NotifierEvents["click"]>(),
    error: new Listeners<PublicError>(),
  };
  readonly #permission: Permission;
  readonly #presence: Presence | undefined;
  readonly #watched = new Map<Connection, () => void>();
  #waiting: Message[] = [];
  #showing = false;
  #disposed = false;
  #errorListeners = 0;

  constructor(kii: Pick<Kii, "tabs">, content: Content, registration: ServiceWorkerRegistration | undefined, obstacle: KiiError | undefined) {
    this.#kii = kii;
    this.#content = content;
    this.#registration = registration;
    this.#permission = new Permission(obstacle, (permission) => this.#listeners.permission.emit(permission));
    if (obstacle) return;
    this.#presence = new Presence({ locks: navigator.locks, document, window }, `kiiweb.visible ${registration!.scope}`);
    navigator.serviceWorker.addEventListener("message", this.#told);
    navigator.serviceWorker.startMessages();
  }

  get permission(): NotifyPermission {
    return this.#permission.value;
  }

  get reason(): KiiError | null {
    return this.#permission.reason;
  }

  async ask(options?: CallOptions): Promise<NotifyPermission> {
    const { timeout, ...call } = callOptions(options);
    if (this.#disposed) throw disposed();
    // A user may take any time to answer.
    return new Clock(options?.timeout == null ? call : { ...call, timeout }).bound(this.#permission.ask());
  }

  watch(connection: Connection): () => void {
    if (!isConnection(connection)) throw invalidArgument("connection must be what connect or startPush gave.");
    if (this.#disposed) throw disposed();
    if (!this.#watched.has(connection) && !isFinal(connection.state)) this.#follow(connection);
    return () => this.#leave(connection);
  }

  on<E extends keyof NotifierEvents>(event: E, listener: (value: NotifierEvents[E]) => void): () => void {
    const listeners = typeof event === "string" && Object.hasOwn(this.#listeners, event) && (this.#listeners[event] as unknown as Listeners<NotifierEvents[E]>);
    if (!listeners) throw invalidArgument('event must be "permission", "click" or "error".');
    if (typeof listener !== "function") throw invalidArgument("listener must be a function.");
    const off = listeners.add(listener);
    if (event !== "error") return off;
    let listening = true;
    this.#errorListeners++;
    return () => {
      off();
      if (listening) this.#errorListeners--;
      listening = false;
    };
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    for (const connection of [...this.#watched.keys()]) this.#leave(connection);
    this.#waiting = [];
    this.#permission.end();
    this.#presence?.end();
    // In a place without service workers there is none to listen to.
    if (this.#presence) navigator.serviceWorker.removeEventListener("message", this.#told);
  }

  [disposeSymbol](): void {
    this.dispose();
  }

  #follow(connection: Connection): void {
    const deaf = connection.on("message", (message) => this.#arrived(message));
    // Behind what was held until somebody listened.
    const ended = connection.on("state", ({ state }) => isFinal(state) && queueMicrotask(() => this.#leave(connection)));
    this.#watched.set(connection, () => {
      deaf();
      ended();
    });
  }

  #leave(connection: Connection): void {
    this.#watched.get(connection)?.();
    this.#watched.delete(connection);
  }

  /** Runs as a listener of the connection: cheap where nothing is to be shown. */
  #arrived(message: Message): void {
    // Tabs that share all get it; one of them leads.
    if (!this.#presence || this.#presence.here || this.#kii.tabs === "follower" || this.permission !== "granted") return;
    this.#waiting.push(message);
    if (this.#waiting.length > maxWaiting) this.#waiting.shift();
    void this.#showAll();
  }

  /** Shows what waits, one after the other, so that they are in order. */
  async #showAll(): Promise<void> {
    if (this.#showing) return;
    this.#showing = true;
    try {
      for (let message; (message = this.#waiting.shift()); ) await this.#show(message);
    } finally {
      this.#showing = false;
    }
  }

  async #show(message: Message): Promise<void> {
    try {
      if (await this.#presence!.anywhere()) return;
      const notification = describe(message, this.#content);
      if (!notification) return;
      await activated(this.#registration!);
      if (this.#disposed) return;
      await this.#registration!.showNotification(notification.title, notification.options);
    } catch (error) {
      this.#failed(error);
    }
  }

  #failed(cause: unknown): void {
    this.#permission.check();
    if (this.#disposed || this.permission !== "granted") return; // it was taken away meanwhile, which is told
    const error = cause instanceof KiiError ? cause : notShown(cause);
    if (this.#errorListeners > 0) this.#listeners.error.emit(error);
    else report(error);
  }

  readonly #told = ({ data }: MessageEvent<unknown>) => {
    if (!isClick(data)) return;
    const { kiiweb: _, ...click } = data;
    this.#listeners.click.emit(click);
  };
}

function isConnection(value: unknown): value is Connection {
  try {
    return typeof (value as Connection | null | undefined)?.on === "function";
  } catch {
    return false;
  }
}

/** What to give to showNotification; null: nothing is to be shown. */
function describe(message: Message, content: Content): { title: string; options: NotificationOptions } | null {
  const wanted = ask(content, message);
  if (wanted === null || wanted === undefined) return null;
  const { title, url, data, ...options } = wanted;
  if (typeof title !== "string") throw invalidArgument("What content gives must have a title.");
  const id = message.properties.userProperties?.find(([name]) => name === idKey)?.[1];
  const mark: Mark = { kiiweb: { url: url == null ? undefined : absolute(url) }, data };
  return { title, options: { ...(id === undefined ? undefined : { tag: id }), ...options, data: mark } };
}

function ask(content: Content, message: Message): NotificationContent | null {
  try {
    return content(message);
  } catch (cause) {
    throw invalidArgument("content has thrown an exception.", cause);
  }
}

/** Only the app's own pages: url may come from a message, and what hears of the click may go there. */
function absolute(url: string): string {
  let target: URL;
  try {
    target = new URL(url, location.href);
  } catch (cause) {
    throw invalidArgument("The url that content gives is no URL.", cause);
  }
  if (!sameOrigin(target, location)) throw invalidArgument("The url that content gives is not of the page's origin.");
  return target.href;
}

function notShown(cause: unknown): KiiError {
  return new KiiError("The browser has not shown a notification.", {
    code: "UNSUPPORTED",
    retryable: false,
    remedy: "See the cause; what content gives has to be what showNotification takes.",
    cause,
  });
}
