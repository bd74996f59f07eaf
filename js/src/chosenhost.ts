// Decides where the Go program runs, at the first call and again after a worker's death.

import type { CallOptions, ConnectOptions, KiiError, Login, MqttEndpoint } from "../types/index.js";
import { fetchAhead } from "./ahead.js";
import { Clock } from "./calls.js";
import type { Host, Link, Place, Signal, Sink } from "./host.js";
import type { Settings } from "./options.js";
import { loadPart, type Parts } from "./parts.js";
import { loaded } from "./waiting.js";
import { firstWords, WorkerHost } from "./workerhost.js";
import { startWorker } from "./workerstart.js";

export class ChosenHost implements Host {
  readonly #settings: Settings;
  readonly #main: Parts["main"];
  readonly #login: () => Login | null;
  #host: Promise<Host> | undefined;
  #settled: Host | undefined; // what #host has come to
  #place: Place = { name: null, reason: null };
  #ended: KiiError | undefined;
  /** The file that is waited for. */
  #loading = "";
  /** Why no worker is of use, where one was started. */
  #forbidden: KiiError | null = null;

  /**
   * main loads what it takes to run the program in the page. login is who is logged in: a program
   * that takes the place of a dead one is told.
   */
  constructor(settings: Settings, main: Parts["main"], login: () => Login | null) {
    this.#settings = settings;
    this.#main = main;
    this.#login = login;
  }

  get place(): Place {
    return this.#place;
  }

  /** Tells whether the program runs, or is about to. */
  get started(): boolean {
    return this.#host !== undefined;
  }

  async call(method: string, args: unknown[], options: CallOptions): Promise<unknown> {
    const clock = new Clock(options);
    return this.#on(clock, (host) => host.call(method, args, clock.rest()));
  }

  async connect(endpoint: MqttEndpoint, options: ConnectOptions, sink: Sink, call: CallOptions): Promise<Link> {
    const clock = new Clock(call);
    return this.#on(clock, (host) => host.connect(endpoint, options, sink, clock.rest()));
  }

  end(error: KiiError): void {
    this.#ended = error;
    this.#host?.then((host) => host.end(error), () => {});
  }

  signal(signal: Signal, cause: string): void {
    this.#settled?.signal(signal, cause);
  }

  /** Does work where the program runs. A worker may start, and the policy that it came with forbid the program. */
  async #on<T>(clock: Clock, work: (host: Host) => Promise<T>): Promise<T> {
    const chosen = this.#chosen();
    const host = await loaded(clock, chosen, () => this.#loading);
    try {
      return await work(host);
    } catch (cause) {
      const error = cause as KiiError;
      if (error.why !== "csp" || host.place.name !== "worker" || this.#settings.host !== "auto") throw error;
      this.#forbidden = error;
      this.#forget(chosen);
      host.end(error); // others that wait for it get here, too
      return work(await loaded(clock, this.#chosen(), () => this.#loading));
    }
  }

  #chosen(): Promise<Host> {
    if (this.#ended) return Promise.reject(this.#ended);
    if (!this.#host) {
      const host = this.#choose(() => this.#forget(host));
      this.#host = host;
      host.then(
        (settled) => {
          this.#place = settled.place;
          if (this.#host === host) this.#settled = settled;
        },
        () => this.#forget(host),
      );
    }
    return this.#host;
  }

  #forget(host: Promise<Host>): void {
    if (this.#host === host) this.#host = this.#settled = undefined;
  }

  async #choose(died: () => void): Promise<Host> {
    const { config, wasmURL, workerURL, host } = this.#settings;
    let reason = this.#forbidden;
    if (host !== "main" && !reason) {
      try {
        const worker = await startWorker(() => (this.#loading = workerURL()), firstWords(config, wasmURL));
        return new WorkerHost(worker, config, this.#login, died);
      } catch (error) {
        if (host === "worker") throw error;
        reason = error as KiiError;
      }
    }
    if (this.#ended) throw this.#ended;
    const part = loadPart((this.#loading = "mainhost.mjs"), this.#main);
    const ahead = fetchAhead(wasmURL);
    try {
      const { MainHost } = await part;
      if (this.#ended) throw this.#ended; // it would begin
      return new MainHost(config, wasmURL, this.#login, reason, ahead);
    } catch (error) {
      ahead?.drop();
      throw error;
    }
  }
}
