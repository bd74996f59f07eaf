// Starts a worker, and says precisely why where none starts.

import { build } from "./build.js";
import { KiiError, unsupported } from "./errors.js";
import { watchPolicy } from "./policy.js";
import { ScriptFile } from "./scriptcheck.js";
import { trustedScriptURL } from "./trusted.js";
import type { ToPage, ToWorker } from "./workermessages.js";

/** How long a worker may take until its first words, in milliseconds. */
const defaultPatience = 10_000;

const file = new ScriptFile("worker.js", "workerURL", "worker-src");

/** Starts the worker at the URL that where gives, tells it first, and waits for its greeting. The error is UNSUPPORTED, or WASM_LOAD with its why. */
export async function startWorker(where: () => string, first: ToWorker, patience: number = defaultPatience): Promise<Worker> {
  if (typeof Worker !== "function") throw unsupported("Worker");
  const url = locate(where);
  const origin = globalThis.location?.origin;
  if (origin && new URL(url).origin !== origin) throw file.failure("origin", `${url} is not of the page's origin.`);
  const policy = watchPolicy(url);
  let worker: Worker | undefined;
  try {
    worker = new Worker(trustedScriptURL(url), { name: "kiiweb" });
    worker.postMessage(first); // it waits there for the script
    await greeting(worker, url, patience);
    return worker;
  } catch (error) {
    worker?.terminate();
    if (error instanceof KiiError) throw error;
    const directive = await policy.violation();
    if (directive) throw file.forbidden(directive, url, error);
    throw await file.diagnosis(url, patience, error);
  } finally {
    policy.end();
  }
}

function locate(where: () => string): string {
  try {
    return where();
  } catch (cause) {
    throw file.failure("notFound", "The loader does not know where worker.js is.", cause);
  }
}

function greeting(worker: Worker, url: string, patience: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout>;
  return new Promise<void>((resolve, reject) => {
    worker.onmessage = ({ data }: MessageEvent<ToPage>) => {
      if (data?.type === "hello" && data.build === build) resolve();
      else reject(file.failure("mismatch", `${url} belongs to another build than its loader.`));
    };
    worker.onerror = (event) => {
      event.preventDefault(); // it is told here
      reject(event.message);
    };
    const late = () => reject(file.failure("network", `${url} gave no answer in ${patience} ms.`));
    // A page that was busy for so long may have the greeting in its queue, behind this timer.
    timer = setTimeout(() => (timer = setTimeout(late)), patience);
  }).finally(() => {
    clearTimeout(timer);
    worker.onmessage = worker.onerror = null;
  });
}
