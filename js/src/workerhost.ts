// The host that runs the Go program in a dedicated worker: the page's end.

import type { CallOptions, ConnectOptions, Login, MqttEndpoint, Owner } from "../types/index.js";
import type { Batch } from "./batch.js";
import { isFinal } from "./state.js";
import { aborted, crashed, KiiError, timedOut } from "./errors.js";
import type { Tap } from "./debug/tap.js";
import type { Handled, Host, Link, Signal, Sink } from "./host.js";
import type { Config, GetToken } from "./options.js";
import { packError, plain, unpackError, type Batches, type ToPage, type ToWorker, type Word } from "./workermessages.js";

/**
 * The worker keeps the time of its calls. This many milliseconds later they end without it:
 * it is stuck, or gone in a way that browsers do not tell.
 */
const defaultGrace = 10_000;

interface Pending {
  resolve(value: unknown): void;
  reject(error: KiiError): void;
}

/** What a worker is told first, before it is known: it begins with it. */
export function firstWords({ getToken, tap, ...config }: Config, wasmURL: string): ToWorker {
  return { type: "init", config, wasmURL, renews: getToken !== undefined, ...(tap && { watched: true }) };
}

/** Lives as long as its worker, and no longer. */
export class WorkerHost implements Host {
  readonly place = { name: "worker", reason: null } as const;
  readonly #worker: Worker;
  readonly #login: () => Login | null;
  readonly #died: () => void;
  readonly #grace: number;
  readonly #getToken: GetToken | undefined;
  readonly #tap: Tap | undefined;
  readonly #calls = new Map<number, Pending>();
  readonly #sinks = new Map<number, Sink>();
  #ids = 0;
  #death: KiiError | undefined;

  /** worker has been told firstWords, and has greeted; died is called at its end, before anything else learns of it. */
  constructor(
    worker: Worker,
    { getToken, tap }: Config,
    login: () => Login | null,
    died: () => void,
    grace: number = defaultGrace,
  ) {
    this.#worker = worker;
    this.#login = login;
    this.#died = died;
    this.#grace = grace;
    this.#getToken = getToken;
    this.#tap = tap;
    worker.onmessage = ({ data }) => {
      try {
        this.#receive(data as ToPage | Batches);
      } catch (cause) {
        this.#die(cause);
      }
    };
    worker.onmessageerror = () => this.#die("A message of the worker cannot be read.");
    worker.onerror = (event) => {
      event.preventDefault();
      this.#die(event.message);
    };
  }

  async call(method: string, args: unknown[], options: CallOptions): Promise<unknown> {
    return this.#ask(options, (id, timeout, transfer) => {
      const login = this.#loggedIn();
      return { type: "call", id, method, args: crossing(method, args, transfer), options: {}, timeout, login };
    });
  }

  async connect(endpoint: MqttEndpoint, { signal: _, ...options }: ConnectOptions, sink: Sink, call: CallOptions): Promise<Link> {
    let link = 0;
    try {
      await this.#ask(call, (id, timeout, transfer) => {
        this.#sinks.set((link = id), sink);
        const plainly = { endpoint: plain(endpoint, transfer, "endpoint") as MqttEndpoint, options: plain(options, transfer, "options") as object };
        return { type: "connect", id, ...plainly, timeout, login: this.#loggedIn() };
      });
      if (call.signal?.aborted) {
        this.#post({ type: "abort", id: link }); // too late for the call; it ends the connection
        throw aborted(call.signal);
      }
    } catch (error) {
      this.#sinks.delete(link);
      throw error;
    }
    return {
      // Not async: while a page goes away there is no later.
      call: (method, args, { signal, timeout, rawProperties, ...options }) =>
        this.#ask({ signal, timeout }, (id, timeout, transfer) => {
          const login = this.#loggedIn();
          const raw = rawProperties && { rawProperties: plain(rawProperties, transfer) };
          const plainly = { args: crossing(method, args, transfer), options: { ...(plain(options, transfer, "options") as object), ...raw } };
          return { type: "call", id, link, method, ...plainly, timeout, login };
        }),
      wake: (cause) => this.#post({ type: "wake", link, cause }),
      sender: {
        send: (staged, first, count) => {
          const copy = staged.slice();
          this.#post({ type: "send", link, staged: copy, first, count }, [copy.buffer]);
        },
        forget: (ticket) => this.#post({ type: "forget", link, ticket }),
      },
    };
  }

  end(error: KiiError): void {
    this.#stop(error, "closed");
  }

  signal(signal: Signal, cause: string): void {
    this.#post({ type: "signal", signal, cause });
  }

  #loggedIn(): Login | null {
    return plain(this.#login(), []) as Login | null;
  }

  /** Sends the message that write makes, and waits for the answer. */
  #ask(
    { signal, timeout }: CallOptions,
    write: (id: number, timeout: number | undefined, transfer: Transferable[]) => ToWorker,
  ): Promise<unknown> {
    const id = ++this.#ids;
    let guard: ReturnType<typeof setTimeout> | undefined;
    const abort = () => this.#post({ type: "abort", id });
    return new Promise<unknown>((resolve, reject) => {
      if (this.#death) throw this.#death;
      if (signal?.aborted) throw aborted(signal);
      const transfer: Transferable[] = [];
      this.#post(write(id, timeout, transfer), transfer);
      const fail = (error: KiiError) => reject(error.code === "ABORTED" && signal?.aborted ? aborted(signal) : error);
      this.#calls.set(id, { resolve, reject: fail });
      signal?.addEventListener("abort", abort);
      if (timeout !== undefined) guard = setTimeout(() => (abort(), reject(timedOut())), Math.min(timeout + this.#grace, 2 ** 31 - 1));
    }).finally(() => {
      this.#calls.delete(id);
      signal?.removeEventListener("abort", abort);
      clearTimeout(guard);
    });
  }

  #post(message: ToWorker | Word, transfer: Transferable[] = []): void {
    if (!this.#death) this.#worker.postMessage(message, transfer);
  }

  /** What it does not know it passes over; what it cannot read ends the worker. */
  #receive(message: ToPage | Batches): void {
    if (Array.isArray(message)) return this.#hand(message);
    switch (message?.type) {
      case "result":
        this.#calls.get(message.id)?.resolve(message.value);
        break;
      case "error":
        this.#calls.get(message.id)?.reject(asKiiError(unpackError(message.error)));
        break;
      case "sent":
        this.#sinks.get(message.link)?.sent(message.tickets, message.error && asKiiError(unpackError(message.error)));
        break;
      case "state": {
        const { link, change, error } = message;
        const sink = this.#sinks.get(link);
        if (isFinal(change.state)) this.#sinks.delete(link);
        sink?.state({ ...change, ...(error && { error: asKiiError(unpackError(error)) }) });
        break;
      }
      case "renew":
        void this.#renew(message.id, message.owner);
        break;
      case "seen":
        this.#tap?.tell(message.seen);
    }
  }

  /** Hands batches out, and says what became of each. */
  #hand([id, link, given, ...row]: Batches): void {
    const sink = this.#sinks.get(link);
    const batches = row.length > 0 ? [{ bytes: new Uint8Array(given as ArrayBuffer), table: Int32Array.from(row), topics: [], firstTopic: 0 }] : (given as Batch[]);
    const handling = batches.map((batch) => sink?.batch(batch));
    const delivered = (all: Handled[]) => this.#post([id, ...all]);
    if (handling.some((one) => typeof one === "object")) void Promise.all(handling).then(delivered);
    else delivered(handling as Handled[]);
  }

  async #renew(id: number, owner: Owner): Promise<void> {
    try {
      this.#post({ type: "token", id, token: plain(await this.#getToken?.(owner), []) as string | null });
    } catch (error) {
      this.#post({ type: "noToken", id, error: packError(error) });
    }
  }

  #die(cause: unknown): void {
    this.#stop(crashed(cause instanceof Error ? cause : new Error(String(cause))), "failed");
  }

  #stop(error: KiiError, state: "closed" | "failed"): void {
    if (this.#death) return;
    this.#death = error;
    this.#worker.terminate();
    this.#died();
    for (const { reject } of this.#calls.values()) reject(error);
    // An attempt is told by connect alone: the same sink may be tried elsewhere.
    for (const [id, sink] of this.#sinks) if (!this.#calls.has(id)) sink.state({ state, code: error.code, reason: error.message, error });
    this.#sinks.clear();
  }
}

function crossing(method: string, args: unknown[], transfer: Transferable[]): unknown[] {
  return args.map((arg, i) => plain(arg, transfer, `Argument ${i + 1} of ${method}`));
}

function asKiiError(error: unknown): KiiError {
  return error instanceof KiiError ? error : crashed(error);
}
