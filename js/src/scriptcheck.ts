// Says precisely why a script did not start: the browser itself says next to nothing.

import type { WasmLoadReason } from "../types/index.js";
import { KiiError } from "./errors.js";

/** Names one of the library's files, and what to do about each reason why it does not start. */
export class ScriptFile {
  readonly #remedies: Record<WasmLoadReason, string>;

  /** where says how to give another place for file; allowed, what of the Content-Security-Policy concerns it. */
  constructor(file: string, where: string, allowed: string) {
    this.#remedies = {
      notFound: `Put ${file} beside the loader${where && `, or say with ${where} where it is`}.`,
      mime: `Make the server send ${file} itself, as text/javascript, and no page in its place.`,
      csp: `Allow ${file} in ${allowed} of the Content-Security-Policy.`,
      mismatch: `Deploy the loader and ${file} of one build together, with the headers that the page's own require.`,
      network: `Check the connection${where && ` and ${where}`}.`,
      origin: `Serve ${file} from the page's own origin${where && `, and say with ${where} where`}.`,
    };
  }

  /** directive of the Content-Security-Policy keeps what is at url out. */
  forbidden(directive: string, url: string, cause?: unknown): KiiError {
    const trusted = directive.includes("trusted-types");
    const message = `The Content-Security-Policy (${directive}) blocks ${url}.`;
    return this.failure("csp", message, cause, trusted ? "Add kiiweb to trusted-types of the Content-Security-Policy." : undefined);
  }

  failure(why: WasmLoadReason, message: string, cause?: unknown, remedy: string = this.#remedies[why]): KiiError {
    const fields = { code: "WASM_LOAD", retryable: why === "network", remedy, why } as const;
    return new KiiError(message, cause === undefined ? fields : { ...fields, cause });
  }

  /** Looks, for at most patience milliseconds, at what is at url in place of a script that starts. */
  async diagnosis(url: string, patience: number, cause: unknown): Promise<KiiError> {
    try {
      const { ok, status, headers } = await fetch(url, { signal: AbortSignal.timeout(patience) });
      if (!ok) {
        return this.failure(status === 404 || status === 410 ? "notFound" : "network", `${url} was answered with status ${status}.`, cause);
      }
      const type = headers.get("Content-Type") ?? "";
      if (!/(java|ecma)script/i.test(type)) return this.failure("mime", `${url} is no script; its type is ${type || "not given"}.`, cause);
      return this.failure("mismatch", `${url} is there, but does not run.`, cause);
    } catch {
      return this.failure("network", `${url} did not arrive.`, cause, url.startsWith("file:") ? "Serve the page over http, not as a file." : undefined);
    }
  }
}
