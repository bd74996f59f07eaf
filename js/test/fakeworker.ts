// A worker in the same thread: what crosses is cloned and transferred as with a real one.

import { serve, type Port } from "../src/workerserver.js";
import type { ToPage, ToWorker } from "../src/workermessages.js";

interface Test {
  after(end: () => unknown): void;
}

/** What a page holds of a worker, with its other end. */
export class FakeWorker {
  onmessage: ((event: MessageEvent) => void) | null = null;
  onmessageerror: ((event: MessageEvent) => void) | null = null;
  onerror: ((event: ErrorEvent) => void) | null = null;
  terminated = false;
  /** What the page has said. */
  readonly heard: ToWorker[] = [];
  readonly inside: MessagePort;
  readonly #page: MessagePort;

  constructor() {
    const { port1, port2 } = new MessageChannel();
    this.#page = port1;
    this.inside = port2;
    port1.onmessage = (event) => this.onmessage?.(event);
  }

  postMessage(message: ToWorker, transfer: Transferable[] = []): void {
    this.heard.push(message);
    this.#page.postMessage(message, transfer);
  }

  terminate(): void {
    this.terminated = true;
    this.#page.close();
  }

  /** Sends the page something from inside. */
  say(message: ToPage | object | null): void {
    this.inside.postMessage(message);
  }

  /** Fails as a browser's worker does; the answer is whether the page took the event. */
  fail(message?: string): boolean {
    let taken = false;
    this.onerror?.({ message, preventDefault: () => (taken = true) } as unknown as ErrorEvent);
    return taken;
  }
}

/** Makes new Worker run script, until t ends; gives the workers, and the URLs that they were made with. */
export function installWorkers(t: Test, script: (worker: FakeWorker, url: string) => void) {
  const global = globalThis as { Worker?: unknown };
  const made: FakeWorker[] = [];
  const urls: string[] = [];
  global.Worker = class extends FakeWorker {
    constructor(url: string) {
      super();
      made.push(this);
      urls.push(url);
      queueMicrotask(() => script(this, url));
    }
  };
  t.after(() => {
    delete global.Worker;
    for (const worker of made) worker.terminate();
  });
  return { made, urls };
}

/** What worker.js does, with hosts that make makes. */
export function workerScript(make: Parameters<typeof serve>[1]): (worker: FakeWorker) => void {
  return (worker) => serve(worker.inside as unknown as Port, make);
}
