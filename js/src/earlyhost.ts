// A MainHost that begins before the first call: what it takes to answer one is on its way while the call is.

import type { KiiError } from "../types/index.js";
import type { Ahead } from "./ahead.js";
import { MainHost } from "./mainhost.js";
import type { Program } from "./program.js";
import { takeOver } from "./wasm.js";

/** How long a failure is news, in milliseconds. */
const recent = 10_000;

export class EarlyHost extends MainHost {
  /** The first call's, and the error its, where it fails shortly before. */
  #begun: Promise<Program> | undefined;
  #failed = Infinity; // when it did

  /** The first arguments are MainHost's; ahead is the module's fetch, where that has begun. */
  constructor(...[config, wasmURL, login, reason, ahead]: [...ConstructorParameters<typeof MainHost>, Ahead?]) {
    super(config, wasmURL, login, reason);
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

  override end(error: KiiError): void {
    this.#begun?.then((program) => program.end(error), () => {});
    super.end(error);
  }
}

/**
 * Lets others have the thread: that a program starts, and what the first call does, take it for about as long, most of it for
 * compiling functions. A timer would take a second in a hidden page.
 */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(0);
  });
}
