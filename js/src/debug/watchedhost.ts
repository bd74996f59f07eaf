// A host on which the log looks on: at calls, at connections and at what the browser says.

import type { CallOptions, ConnectOptions, DebugCall, MqttEndpoint, StateChange } from "../../types/index.js";
import type { KiiError } from "../errors.js";
import type { Host, Link, Place, Signal, Sink } from "../host.js";
import { refusalName } from "./names.js";
import type { Wordless } from "./text.js";

/** What is behind has to be entered at once, as without a log: while a page goes away there is no later. */
export class WatchedHost implements Host {
  readonly #host: Host;
  readonly #tell: (entry: Wordless) => void;
  #calls = 0;
  #connections = 0;

  constructor(host: Host, tell: (entry: Wordless) => void) {
    this.#host = host;
    this.#tell = tell;
  }

  get place(): Place {
    return this.#host.place;
  }

  call(method: string, args: unknown[], options: CallOptions): Promise<unknown> {
    return this.#watch({ method }, () => this.#host.call(method, args, options));
  }

  async connect(endpoint: MqttEndpoint, options: ConnectOptions, sink: Sink, call: CallOptions): Promise<Link> {
    const connection = ++this.#connections;
    const watched: Sink = {
      batch: (batch) => sink.batch(batch),
      sent: (tickets, error) => sink.sent(tickets, error),
      state: (change) => {
        this.#changed(connection, change);
        sink.state(change);
      },
    };
    const link = await this.#watch({ method: "connect", connection }, () => this.#host.connect(endpoint, options, watched, call));
    return {
      call: (method, args, callOptions) => this.#watch({ method, connection }, () => link.call(method, args, callOptions)),
      wake: (cause) => link.wake(cause),
      sender: link.sender,
    };
  }

  end(error: KiiError): void {
    this.#host.end(error);
  }

  signal(signal: Signal, cause: string): void {
    this.#tell({ type: "signal", at: Date.now(), signal, cause });
    this.#host.signal(signal, cause);
  }

  #changed(connection: number, { state, code, reason, reasonCode, retryIn }: StateChange): void {
    this.#tell({
      type: "state",
      at: Date.now(),
      connection,
      state,
      reason,
      ...(code && { code }),
      ...(reasonCode !== undefined && { reasonCode: { code: reasonCode, name: refusalName(reasonCode) } }),
      ...(retryIn !== undefined && { retryIn }),
    });
  }

  async #watch<T>(what: { method: string; connection?: number }, work: () => Promise<T>): Promise<T> {
    const call = { type: "call", call: ++this.#calls, ...what } as const;
    const began = performance.now();
    const done = (error?: DebugCall["error"]) =>
      this.#tell({ ...call, at: Date.now(), duration: Math.round(performance.now() - began), ...(error && { error }) });
    this.#tell({ ...call, at: Date.now() });
    try {
      const value = await work();
      done();
      return value;
    } catch (error) {
      done(failure(error));
      throw error;
    }
  }
}

/** What is known of an error. Its message may have come from a server, and is the caller's to show. */
function failure(error: unknown): NonNullable<DebugCall["error"]> {
  const { code = "unknown", status, kiiCode, reasonCode, why } = error as Partial<KiiError>;
  return {
    code,
    ...(status !== undefined && { status }),
    ...(kiiCode !== undefined && { kiiCode }),
    ...(reasonCode !== undefined && { reasonCode }),
    ...(why !== undefined && { why }),
  };
}
