// A MainHost that begins before it is asked: the program before the first call, and a connection's WebSocket before the program can.

import type { CallOptions, ConnectOptions, KiiError, MqttEndpoint } from "../types/index.js";
import type { Ahead } from "./ahead.js";
import { EarlySocket } from "./earlysocket.js";
import type { Link, Signal, Sink } from "./host.js";
import { MainHost } from "./mainhost.js";
import type { Program } from "./program.js";
import { Turns } from "./turns.js";
import { takeOver } from "./wasm.js";

/** How long a failure is news, in milliseconds. */
const recent = 10_000;

export class EarlyHost extends MainHost {
  /** The first call's, and the error its, where it fails shortly before. */
  #begun: Promise<Program> | undefined;
  #failed = Infinity; // when it did
  readonly #socket: EarlySocket;

  /** The first arguments are MainHost's; ahead is the module's fetch, where that has begun. */
  constructor(...[config, wasmURL, login, reason, ahead]: [...ConstructorParameters<typeof MainHost>, Ahead?]) {
    const socket = new EarlySocket();
    super({ ...config, dial: socket.dial }, wasmURL, login, reason);
    this.#socket = socket;
    if (ahead) takeOver(wasmURL, ahead);
    this.#begun = super.begin();
    this.#begun.catch(() => (this.#failed = performance.now())); // the first call tells
  }

  protected override async begin(): Promise<Program> {
    const begun = (performance.now() - this.#failed < recent && this.#begun) || super.begin();
    this.#begun = undefined;
    const program = await begun;
    await turn();
    return program;
  }

  override async connect(endpoint: MqttEndpoint, options: ConnectOptions, sink: Sink, call: CallOptions): Promise<Link> {
    this.#socket.begin(endpoint, options);
    return super.connect(endpoint, options, sink, call).finally(this.#socket.drop);
  }

  override signal(signal: Signal, cause: string): void {
    if (signal === "pause") this.#socket.drop(); // browsers do not keep a page that has one
    super.signal(signal, cause);
  }

  override end(error: KiiError): void {
    this.#begun?.then((program) => program.end(error), () => {});
    super.end(error);
  }
}

/**
 * Lets others have the thread: that a program starts, and what the first call does, take it for about as long, most of it for
 * compiling functions. A timer would take a second in a hidden page.
 */
async function turn(): Promise<void> {
  const turns = new Turns();
  await new Promise<void>((resolve) => turns.add(resolve));
  turns.end();
}
