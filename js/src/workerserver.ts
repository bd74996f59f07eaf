// The worker's end: hands what the page asks for on to a host that runs right here.

import type { CallOptions, Login, StateChange } from "../types/index.js";
import { columns, type Batch } from "./batch.js";
import { build } from "./build.js";
import { tapOf, type Tap } from "./debug/tap.js";
import type { Handled, Host, Link, Sink } from "./host.js";
import type { Config, GetToken } from "./options.js";
import { Outlet } from "./outlet.js";
import { packError, unpackError, type Batches, type ToPage, type ToWorker, type Word } from "./workermessages.js";

/** What a dedicated worker's global scope and a MessagePort have in common. */
export interface Port {
  postMessage(message: ToPage | Batches, transfer: Transferable[]): void;
  onmessage: ((event: MessageEvent) => void) | null;
}

/** So many bytes are copied to the page rather than given away. */
const mostCopied = 1024;

type MakeHost = (config: Config, wasmURL: string, login: () => Login | null) => Host;

/** Serves the page behind port, and greets it. */
export function serve(port: Port, makeHost: MakeHost): void {
  const server = new Server(port, makeHost);
  port.onmessage = ({ data }) => server.receive(data as ToWorker | Word);
  port.postMessage({ type: "hello", build }, []);
}

class Server {
  readonly #port: Port;
  readonly #makeHost: MakeHost;
  #host: Host | undefined;
  /** Who was logged in when the page last called. */
  #login: Login | null = null;
  readonly #calls = new Map<number, AbortController>();
  /** Kept when the connections have ended: what is asked of them still gets its answer. */
  readonly #links = new Map<number, Link>();
  /** The portions of batches that the page has in hand, by their numbers. */
  readonly #handed = new Map<number, (stops: Handled[]) => void>();
  #portions = 0;
  /** The tokens that the page was asked for, by their numbers. */
  readonly #renewals = new Map<number, { resolve(token: string | null): void; reject(error: unknown): void }>();
  #asked = 0;

  constructor(port: Port, makeHost: MakeHost) {
    this.#port = port;
    this.#makeHost = makeHost;
  }

  /** What it does not know it passes over. */
  receive(message: ToWorker | Word): void {
    if (Array.isArray(message)) {
      const [id, ...stops] = message;
      this.#handed.get(id)?.(stops);
      this.#handed.delete(id);
      return;
    }
    switch (message?.type) {
      case "init":
        this.#host ??= this.#makeHost(this.#config(message), message.wasmURL, () => this.#login);
        break;
      case "call":
      case "connect":
        this.#login = message.login;
        void this.#answer(message);
        break;
      case "abort":
        this.#abort(message.id);
        break;
      case "send":
        this.#links.get(message.link)?.sender?.send(message.staged, message.first, message.count);
        break;
      case "forget":
        this.#links.get(message.link)?.sender?.forget(message.ticket);
        break;
      case "wake":
        this.#links.get(message.link)?.wake(message.cause);
        break;
      case "signal":
        if (message.signal === "wake" || message.signal === "pause") this.#host?.signal(message.signal, message.cause);
        break;
      case "token":
        this.#renewals.get(message.id)?.resolve(message.token);
        this.#renewals.delete(message.id);
        break;
      case "noToken":
        this.#renewals.get(message.id)?.reject(unpackError(message.error));
        this.#renewals.delete(message.id);
    }
  }

  /** A connection that stood before the word came has nobody to close it. */
  #abort(id: number): void {
    const call = this.#calls.get(id);
    if (call) call.abort();
    else this.#links.get(id)?.call("close", [], {}).catch(() => {});
  }

  async #answer(message: ToWorker & { type: "call" | "connect" }): Promise<void> {
    const { id, timeout } = message;
    const controller = new AbortController();
    const { signal } = controller;
    this.#calls.set(id, controller);
    try {
      const value = await this.#perform(message, timeout === undefined ? { signal } : { signal, timeout });
      this.#post({ type: "result", id, value });
    } catch (error) {
      this.#post({ type: "error", id, error: packError(error) });
    } finally {
      this.#calls.delete(id);
    }
  }

  /** Enters the host at once: while a page goes away there is no later. */
  async #perform(message: ToWorker & { type: "call" | "connect" }, options: CallOptions): Promise<unknown> {
    if (message.type === "connect") {
      const { id, endpoint } = message;
      const link = await this.#host!.connect(endpoint, message.options, this.#sink(id), options);
      this.#links.set(id, link);
      return undefined;
    }
    const { method, args, link } = message;
    if (link === undefined) return this.#host!.call(method, args, options);
    return this.#links.get(link)!.call(method as "close", args, { ...message.options, ...options });
  }

  #config({ config, renews, watched }: ToWorker & { type: "init" }): Config {
    return { ...config, ...(renews && { getToken: this.#getToken() }), ...(watched && { tap: this.#tap() }) };
  }

  /** What is seen here is told in the page, which gets bytes of its own. */
  #tap(): Tap {
    return tapOf((seen) => {
      if (seen.type !== "frame") return this.#post({ type: "seen", seen });
      const bytes = seen.bytes.slice();
      this.#post({ type: "seen", seen: { ...seen, bytes } }, [bytes.buffer]);
    });
  }

  /** A function does not cross: the page is asked. */
  #getToken(): GetToken {
    return (owner) =>
      new Promise<string | null>((resolve, reject) => {
        const id = ++this.#asked;
        this.#renewals.set(id, { resolve, reject });
        this.#post({ type: "renew", id, owner });
      });
  }

  #sink(link: number): Sink {
    const outlet = new Outlet((batches) => this.#hand(link, batches), (list) => this.#links.get(link)?.unseen?.(list));
    return {
      batch: outlet.hand,
      firm: outlet.firm,
      sent: (tickets, error) => this.#post({ type: "sent", link, tickets, ...(error && { error: packError(error) }) }),
      state: ({ error, ...change }: StateChange) => {
        outlet.flush();
        this.#post({ type: "state", link, change, ...(error && { error: packError(error) }) });
      },
    };
  }

  /** Gives the buffers away, and settles when the page's handlers have returned. */
  #hand(link: number, batches: Batch[]): Promise<Handled[]> {
    const id = ++this.#portions;
    const delivered = new Promise<Handled[]>((resolve) => this.#handed.set(id, resolve));
    const brief = briefly(batches);
    if (brief) this.#post([id, link, ...brief]);
    else this.#post([id, link, batches], buffersOf(batches));
    return delivered;
  }

  #post(message: ToPage | Batches, transfer: Transferable[] = []): void {
    this.#port.postMessage(message, transfer);
  }
}

/** One message in its frame, in the form that takes least, or undefined. To copy so few bytes takes a browser less than to give them away. */
function briefly([batch, another]: Batch[]): [ArrayBuffer, ...number[]] | undefined {
  const { bytes, table, topics, names, dropped } = batch!;
  const { buffer, byteLength } = bytes;
  if (another || table.length !== columns || byteLength > mostCopied || byteLength !== buffer.byteLength || topics.length > 0 || names || dropped) return undefined;
  return [buffer as ArrayBuffer, ...table];
}

/** What is given away with batches. The long way has a batch's table in the same buffer; a table of one row is copied sooner than given away, and can be a lent one. */
function buffersOf(batches: Batch[]): ArrayBuffer[] {
  const buffers: ArrayBuffer[] = [];
  for (const { bytes, table } of batches) {
    buffers.push(bytes.buffer as ArrayBuffer);
    if (table.length > columns && table.buffer !== bytes.buffer) buffers.push(table.buffer as ArrayBuffer);
  }
  return buffers;
}
