// Starts a worker, and says precisely why where none starts: the browser itself says next
// to nothing.

import type { WasmLoadReason } from "../types/index.js";
import { KiiError, unsupported } from "./errors.js";
import { watchPolicy } from "./policy.js";
import { build, type ToPage } from "./workermessages.js";

/** How long a worker may take until its first words, in milliseconds. */
const defaultPatience = 10_000;

const remedies: Record<WasmLoadReason, string> = {
  notFound: "Put worker.js beside the loader, or say with workerURL where it is.",
  mime: "Make the server send worker.js itself, as text/javascript, and no page in its place.",
  csp: "Allow worker.js in worker-src of the Content-Security-Policy.",
  mismatch: "Deploy the loader and worker.js of one build together, with the headers that the page's own require.",
  network: "Check the connection and workerURL.",
  origin: "Serve worker.js from the page's own origin, and say with workerURL where.",
};

/** Starts the worker at the URL that where gives and waits for its greeting. The error is UNSUPPORTED, or WASM_LOAD with its why. */
export async function startWorker(where: () => string, patience: number = defaultPatience): Promise<Worker> {
  if (typeof Worker !== "function") throw unsupported("Worker");
  const url = locate(where);
  const origin = globalThis.location?.origin;
  if (origin && new URL(url).origin !== origin) throw failure("origin", `${url} is not of the page's origin.`);
  const policy = watchPolicy(url);
  let worker: Worker | undefined;
  try {
    worker = new Worker(url, { name: "kiiweb" });
    await greeting(worker, url, patience);
    return worker;
  } catch (error) {
    worker?.terminate();
    if (error instanceof KiiError) throw error;
    const directive = await policy.violation();
    if (directive) throw failure("csp", `The Content-Security-Policy (${directive}) blocks ${url}.`, error);
    throw await diagnosis(url, patience, error);
  } finally {
    policy.end();
  }
}

function locate(where: () => string): string {
  try {
    return where();
  } catch (cause) {
    throw failure("notFound", "The loader does not know where worker.js is.", cause);
  }
}

function greeting(worker: Worker, url: string, patience: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout>;
  return new Promise<void>((resolve, reject) => {
    worker.onmessage = ({ data }: MessageEvent<ToPage>) => {
      if (data?.type === "hello" && data.build === build) resolve();
      else reject(failure("mismatch", `${url} belongs to another build than its loader.`));
    };
    worker.onerror = (event) => {
      event.preventDefault(); // it is told here
      reject(event.message);
    };
    const late = () => reject(failure("network", `${url} gave no answer in ${patience} ms.`));
    // A page that was busy for so long may have the greeting in its queue, behind this timer.
    timer = setTimeout(() => (timer = setTimeout(late)), patience);
  }).finally(() => {
    clearTimeout(timer);
    worker.onmessage = worker.onerror = null;
  });
}

/** Looks at what is there in place of a worker that starts. */
async function diagnosis(url: string, patience: number, cause: unknown): Promise<KiiError> {
  try {
    const { ok, status, headers } = await fetch(url, { signal: AbortSignal.timeout(patience) });
    if (!ok) {
      return failure(status === 404 || status === 410 ? "notFound" : "network", `${url} was answered with status ${status}.`, cause);
    }
    const type = headers.get("Content-Type") ?? "";
    if (!/(java|ecma)script/i.test(type)) return failure("mime", `${url} is no script; its type is ${type || "not given"}.`, cause);
    return failure("mismatch", `${url} is there, but does not run as a worker.`, cause);
  } catch {
    return failure("network", `${url} did not arrive.`, cause);
  }
}

function failure(why: WasmLoadReason, message: string, cause?: unknown): KiiError {
  const fields = { code: "WASM_LOAD", retryable: why === "network", remedy: remedies[why], why } as const;
  return new KiiError(message, cause === undefined ? fields : { ...fields, cause });
}
