// One running Go program: starts it, calls its functions, and knows when it has died.

import { Express, type ExpressExports, type ExpressOffer } from "./express.js";
import { crashed, KiiError, wasmLoad } from "./errors.js";
import { currentGlobals, withGlobals, type Globals } from "./globals.js";
import type { Config } from "./options.js";

type Around = Pick<Config, "tap" | "dial">;

/** A function of the Go program. */
type Exported = (...args: unknown[]) => unknown;

/** An object of the Go program's functions. */
export type Exports = Record<string, Exported>;

/** Go of wasm_exec.js, with the parts of its inside that are needed to bury a dead program. */
interface Go {
  env: Record<string, string>;
  importObject: WebAssembly.Imports & { gojs: Record<string, (sp: number) => void> };
  exit(code: number): void;
  run(instance: WebAssembly.Instance): Promise<void>;
  _inst: WebAssembly.Instance | undefined;
  _resume(): void;
  _scheduledTimeouts: Map<number, ReturnType<typeof setTimeout>>;
}

interface FileSystem {
  /** Flags for opening files, which syscall reads when it starts, and never uses. */
  readonly constants: object;
  writeSync(fd: number, bytes: Uint8Array): number;
}

/** How much of the program's last output is kept for the error, in characters. */
const outputKept = 8192;

let glue: Globals | undefined;
let instances = 0;

export class Program {
  readonly exports: Exports;
  /** The short way; undefined where the program has none. */
  readonly express: Express | undefined;
  #death: KiiError | undefined;
  #mourners = new Set<(death: KiiError) => void>();
  #output = "";
  readonly #go: Go;

  /** Starts module; tap looks on, and dial is asked for WebSockets. The error is WASM_LOAD with why mismatch. */
  static async start(module: WebAssembly.Module, around: Around = {}): Promise<Program> {
    glue ??= loadGlue();
    const globals: Globals = { ...glue };
    const go = new (glue.Go as new () => Go)();
    const write = go.importObject.gojs["runtime.wasmWrite"]!;
    go.importObject.gojs["runtime.wasmWrite"] = (sp) => withGlobals(globals, () => write(sp));
    try {
      const instance = await WebAssembly.instantiate(module, go.importObject);
      return new Program(go, instance, globals, around);
    } catch (cause) {
      throw cause instanceof KiiError
        ? cause
        : wasmLoad("mismatch", "The WebAssembly module does not fit its loader.", { cause });
    }
  }

  private constructor(go: Go, instance: WebAssembly.Instance, globals: Globals, around: Around) {
    const { tap } = around;
    this.#go = go;
    this.#watch();
    globals.fs = this.#fileSystem();
    const listen: Listen = (socket, number, slow) => (tap?.socket(socket), this.express!.listen(socket, number, slow));
    const { name, taken } = offerHandover(listen, around);
    go.env.KIIWEB_HANDOVER = name;
    withGlobals(globals, () => go.run(instance)).then(() => this.#die(), (cause) => this.#die(cause));
    Reflect.deleteProperty(globalThis, name);
    const { exports, offer } = taken();
    if (!exports) {
      this.#die();
      throw wasmLoad("mismatch", "The WebAssembly module did not start.", { cause: this.#death?.cause });
    }
    this.exports = exports;
    if (offer) this.express = new Express(instance.exports as unknown as ExpressExports, offer, (cause) => this.#die(cause));
  }

  /** Why the program is dead; undefined while it lives. */
  get death(): KiiError | undefined {
    return this.#death;
  }

  /** Calls a function of the program that gives a promise. CRASHED when the program dies before that settles. */
  call(target: Exports, method: string, args: unknown[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const forget = this.onDeath(reject);
      if (this.#death) return;
      // Entered at once: while a page goes away there is no later.
      new Promise((done) => done(target[method]!(...args))).then(resolve, reject).finally(forget);
    });
  }

  /** Tells listener when the program dies, at once if it has; the function returned ends that. */
  onDeath(listener: (death: KiiError) => void): () => void {
    if (this.#death) listener(this.#death);
    else this.#mourners.add(listener);
    return () => this.#mourners.delete(listener);
  }

  /** A dead program is never entered again: neither its timers nor events that it waits for reach it. */
  #watch(): void {
    const go = this.#go;
    const resume = go._resume;
    go._resume = () => {
      if (this.#death) return;
      try {
        resume.call(go);
      } catch (cause) {
        this.#die(cause);
      }
    };
    go.exit = () => this.#die();
  }

  #die(cause?: unknown): void {
    this.end(crashed(cause ?? new Error(this.#output.trim() || "The Go program ended.")));
  }

  /** Has the program be dead from now on, with death as the reason. */
  end(death: KiiError): void {
    if (this.#death) return;
    this.#death = death;
    const go = this.#go;
    for (const timer of go._scheduledTimeouts.values()) clearTimeout(timer);
    go._scheduledTimeouts.clear();
    go._inst = undefined; // its memory
    this.express?.end();
    const mourners = [...this.#mourners];
    this.#mourners.clear();
    for (const tell of mourners) tell(this.#death);
  }

  /** The program's standard output and standard error go to the console; the end is kept: it tells of a panic. */
  #fileSystem(): FileSystem {
    const decoder = new TextDecoder();
    let line = "";
    return {
      constants: new Proxy({}, { get: () => -1 }),
      writeSync: (_fd, bytes) => {
        const text = decoder.decode(bytes, { stream: true });
        this.#output = (this.#output + text).slice(-outputKept);
        line += text;
        const end = line.lastIndexOf("\n");
        if (end >= 0) console.error(line.slice(0, end));
        line = line.slice(end + 1);
        return bytes.length;
      },
    };
  }
}

/** What wasm_exec.js would put in place of Node.js's fs, process and path is not needed: it finds these, and is built without (internal/build). */
function loadGlue(): Globals {
  return withGlobals({ fs: {}, process: {}, path: {} }, () => {
    require("../../wasm_exec.js");
    return currentGlobals();
  });
}

type Listen = (socket: WebSocket, port: number, slow: (data: unknown) => void) => () => void;

interface Taken {
  exports?: Exports;
  offer?: ExpressOffer | undefined;
}

/** A property of the global object by which the program hands over its functions. It takes it away at once. */
function offerHandover(listen: Listen, { tap, dial }: Around): { name: string; taken: () => Taken } {
  const name = `kiiweb:${++instances}:${Math.random()}`;
  let taken: Taken = {};
  const value = { ...tap, dial, KiiError, listen, take: (exports: Exports, offer?: ExpressOffer) => void (taken = { exports, offer }) };
  Object.defineProperty(globalThis, name, { value, configurable: true, enumerable: false });
  return { name, taken: () => taken };
}
