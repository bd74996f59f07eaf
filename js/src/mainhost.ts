// The host that runs the Go program in the thread that it is in itself: the page's, or,
// behind a WorkerHost, a worker's.

import type { CallOptions, ConnectOptions, KiiError, Login, MqttEndpoint, StateChange } from "../types/index.js";
import { batchOf } from "./batch.js";
import { connectionsOf, unlessBlocked } from "./blocked.js";
import type { Host, Link, Place, Signal, Sink } from "./host.js";
import type { Config } from "./options.js";
import { Program, type Exports } from "./program.js";
import { Clock } from "./calls.js";
import { isFinal } from "./state.js";
import { loaded } from "./waiting.js";
import { compiledModule } from "./wasm.js";

export class MainHost implements Host {
  readonly place: Place;
  readonly #config: Config;
  readonly #wasmURL: string;
  readonly #login: () => Login | null;
  #program: Promise<Program> | undefined;
  /** The same, while it lives. */
  #alive: Program | undefined;
  #ended: KiiError | undefined;
  /** The module's URL while it is fetched and compiled. */
  #loading: string | undefined;

  /**
   * login is who is logged in: a program that takes the place of a dead one is told. reason is
   * why this host has to do.
   */
  constructor(config: Config, wasmURL: string, login: () => Login | null, reason: KiiError | null = null) {
    this.place = { name: "main", reason };
    this.#config = config;
    this.#wasmURL = wasmURL;
    this.#login = login;
  }

  async call(method: string, args: unknown[], options: CallOptions): Promise<unknown> {
    const clock = new Clock(options);
    const program = await this.#running(clock);
    return this.#watched(undefined, clock.rest(), (rest) => program.call(program.exports, method, [...args, rest]));
  }

  async connect(endpoint: MqttEndpoint, options: ConnectOptions, sink: Sink, call: CallOptions): Promise<Link> {
    const clock = new Clock(call);
    const program = await this.#running(clock);
    const short = program.express?.register(sink);
    const receiver = {
      ...(short && { express: short.receiver }),
      onFirm: sink.firm,
      onSent: (tickets: Uint8Array, error?: KiiError) => sink.sent(new Int32Array(tickets.buffer, 0, tickets.length / 4), error),
      onBatch: (...batch: Parameters<typeof batchOf>) => sink.batch(batchOf(...batch)),
      onState: (change: StateChange) => {
        if (isFinal(change.state)) {
          short?.forget();
          unwatch();
          ended = true;
        }
        sink.state(change);
      },
    };
    let ended = false; // it can be before connect has come back
    let unwatch = () => {};
    const raw = (await this.#watched(endpoint, clock.rest(), (rest) =>
      program.call(program.exports, "connect", [endpoint, { ...options, ...receiver, ...rest }]),
    ).catch((error) => {
      short?.forget();
      throw error;
    })) as Exports;
    const die = (error: KiiError) => {
      sink.state({ state: error === this.#ended ? "closed" : "failed", code: error.code, reason: error.message, error });
    };
    if (!ended) unwatch = program.onDeath(die);
    return {
      call: (method, args, options) => {
        if (method === "close") program.express?.pay();
        return program.call(raw, method, [...args, options]);
      },
      wake: (cause) => {
        if (!program.death) raw.wake!(cause);
      },
      unseen: (list) => {
        if (!program.death) raw.unseen?.(list);
      },
      sender: raw.send && {
        send: (staged, first) => {
          if (program.death) return; // which ended all
          const sent = program.express!.send(short!.receiver, staged);
          if (sent > 0) return sink.sent(Int32Array.from({ length: sent }, (_, i) => first + i));
          if (program.death) return;
          program.express!.stage(staged);
          raw.send!(staged.length, first);
        },
        forget: (ticket) => {
          if (!program.death) raw.forget!(ticket);
        },
      },
    };
  }

  end(error: KiiError): void {
    this.#ended = error;
    this.#program?.then((program) => program.end(error), () => {});
  }

  signal(signal: Signal, cause: string): void {
    if (signal === "pause") this.#alive?.express?.pay();
    this.#alive?.exports[signal]!(cause);
  }

  #watched<T>(endpoint: MqttEndpoint | undefined, call: CallOptions, work: (call: CallOptions) => Promise<T>): Promise<T> {
    return unlessBlocked(connectionsOf(this.#config.baseURL, endpoint), call, work);
  }

  /** The program, started at the first call and again after its death. */
  async #running(clock: Clock): Promise<Program> {
    if (this.#ended) throw this.#ended;
    if (!this.#program) {
      const program = this.#start();
      const forget = () => {
        if (this.#program === program) this.#program = this.#alive = undefined;
      };
      this.#program = program;
      program.then((p) => ((this.#alive = p), p.onDeath(forget)), forget);
    }
    return loaded(clock, this.#program, () => this.#loading);
  }

  async #start(): Promise<Program> {
    const program = await this.begin();
    const login = this.#login();
    if (login) await program.call(program.exports, "useToken", [login.token, login]);
    return program;
  }

  /** A program that knows its app, and nobody's login yet. */
  protected async begin(): Promise<Program> {
    this.#loading = this.#wasmURL;
    const module = await compiledModule(this.#wasmURL);
    this.#loading = undefined;
    if (this.#ended) throw this.#ended; // it would start
    const program = await Program.start(module, this.#config);
    await program.call(program.exports, "init", [this.#config]);
    return program;
  }
}
