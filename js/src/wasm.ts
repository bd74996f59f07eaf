// Fetches and compiles kiiweb.wasm, and says precisely why where it does not.

import type { Ahead } from "./ahead.js";
import { unsupported, wasmLoad, KiiError } from "./errors.js";
import { policyOwner, watchPolicy, type PolicyWatch } from "./policy.js";

const modules = new Map<string, Promise<WebAssembly.Module>>();

/** The compiled module at url. It is fetched once; a failure is forgotten, so that the next call tries again. */
export function compiledModule(url: string, build: string = KIIWEB_MODULE): Promise<WebAssembly.Module> {
  return modules.get(url) ?? keep(url, fetchModule(url, build));
}

/** Goes on with a fetch that has begun, for compiledModule. */
export function takeOver(url: string, { response, policy, drop }: Ahead, build: string = KIIWEB_MODULE): void {
  if (modules.has(url)) drop();
  else keep(url, fetchModule(url, build, policy, response));
}

function keep(url: string, module: Promise<WebAssembly.Module>): Promise<WebAssembly.Module> {
  modules.set(url, module);
  module.catch(() => modules.delete(url));
  return module;
}

/** Fetches, unless that has begun, compiles and checks. The error is UNSUPPORTED or WASM_LOAD with its why. */
export async function fetchModule(
  url: string,
  build: string,
  policy: PolicyWatch = watchPolicy(url),
  response?: Promise<Response>,
): Promise<WebAssembly.Module> {
  try {
    if (typeof WebAssembly !== "object") throw unsupported("WebAssembly");
    const module = await compile(await get(url, response), url);
    checkBuild(module, build);
    return module;
  } catch (error) {
    throw await explain(error, url, policy.violation);
  } finally {
    policy.end();
  }
}

async function get(url: string, begun: Promise<Response> = fetch(url)): Promise<Response> {
  const response = await begun;
  const { ok, status } = response;
  if (ok) return response;
  const message = `${url} was answered with status ${status}.`;
  throw wasmLoad(status === 404 || status === 410 ? "notFound" : "network", message, { status });
}

/** Compiles while the bytes arrive where the server names the type that this needs, and afterwards where not. */
async function compile(response: Response, url: string): Promise<WebAssembly.Module> {
  const type = (response.headers.get("Content-Type") ?? "").trim().toLowerCase(); // parameters are not allowed
  if (type === "application/wasm") return WebAssembly.compileStreaming(response);
  const bytes = await response.arrayBuffer();
  if (!isWasm(bytes)) throw wasmLoad("mime", `${url} is no WebAssembly module; its type is ${type || "not given"}.`);
  return WebAssembly.compile(bytes);
}

function isWasm(bytes: ArrayBuffer): boolean {
  return bytes.byteLength >= 8 && new DataView(bytes).getUint32(0) === 0x0061736d; // "\0asm"
}

/** Go stamps the build id, whose last part is a hash of the content, into a section of the module. expected is how that begins. */
function checkBuild(module: WebAssembly.Module, expected: string): void {
  const section = WebAssembly.Module.customSections(module, "go:buildid")[0];
  const id = section ? new TextDecoder().decode(section) : "";
  if (expected && !id.includes(`/${expected}`)) {
    throw wasmLoad("mismatch", "The WebAssembly module belongs to another build than its loader.");
  }
}

async function explain(error: unknown, url: string, violation: () => Promise<string | undefined>): Promise<KiiError> {
  if (error instanceof KiiError) return error;
  const directive = await violation();
  const byPolicy = error instanceof WebAssembly.CompileError && /content security policy|unsafe-eval/i.test(error.message);
  if (directive || byPolicy) {
    const whose = `the Content-Security-Policy that ${policyOwner()} is served with`;
    const remedy =
      directive === "connect-src" ? `Add ${new URL(url).origin} to connect-src of ${whose}.` : `Add 'wasm-unsafe-eval' to script-src of ${whose}.`;
    return wasmLoad("csp", `The Content-Security-Policy (${directive ?? "script-src"}) of ${policyOwner()} blocks ${url}.`, { cause: error, remedy });
  }
  if (error instanceof WebAssembly.CompileError) {
    return wasmLoad("mismatch", `${url} cannot be compiled: it is damaged or not a module of this library.`, { cause: error });
  }
  return wasmLoad("network", `${url} did not arrive.`, { cause: error });
}
