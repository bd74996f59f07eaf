import assert from "node:assert/strict";
import { test } from "node:test";

import { compiledModule, fetchModule } from "../src/wasm.js";
import { serve, wasm } from "./crasher.js";

const html = "<!doctype html><title>The page of a single-page app</title>";

const failures: { name: string; status?: number; type?: string; body: string | Uint8Array; build?: string; want: object }[] = [
  { name: "no such file", status: 404, type: "text/plain", body: "no", want: { why: "notFound", status: 404, retryable: false } },
  { name: "a server in trouble", status: 500, type: "text/plain", body: "no", want: { why: "network", status: 500, retryable: true } },
  { name: "a page in its place", type: "text/html; charset=utf-8", body: html, want: { why: "mime", message: /text\/html/ } },
  { name: "nothing in its place", type: "text/plain", body: "", want: { why: "mime" } },
  { name: "a page by the right name", type: "application/wasm", body: html, want: { why: "mismatch" } },
  { name: "half a module", type: "application/wasm", body: wasm.slice(0, wasm.length >> 1), want: { why: "mismatch" } },
  { name: "half a module, compiled late", type: "text/plain", body: wasm.slice(0, wasm.length >> 1), want: { why: "mismatch" } },
  { name: "another build", type: "application/wasm", body: wasm, build: "another", want: { why: "mismatch" } },
];

for (const { name, status = 200, type, body, build = "", want } of failures) {
  test(`${name} is told from the others`, async (t) => {
    const url = await serve(t, (_path, response) => response.writeHead(status, { "Content-Type": type! }).end(body));
    await assert.rejects(fetchModule(`${url}/k.wasm`, build), { name: "KiiError", code: "WASM_LOAD", ...want });
  });
}

test("a server that is not there", async () => {
  let url = "";
  await test("takes its port along", async (inner) => {
    url = await serve(inner, (_path, response) => response.end());
  });
  await assert.rejects(fetchModule(`${url}/k.wasm`, ""), { code: "WASM_LOAD", why: "network", retryable: true });
});

for (const type of ["application/wasm", "Application/WASM; charset=x", "application/octet-stream", ""]) {
  test(`a module compiles whatever its type: ${type || "none"}`, async (t) => {
    const url = await serve(t, (_path, response) => response.writeHead(200, type ? { "Content-Type": type } : {}).end(wasm));
    assert.ok((await fetchModule(`${url}/k.wasm`, "")) instanceof WebAssembly.Module);
  });
}

test("a module is fetched once, a failure is not kept", async (t) => {
  const paths: string[] = [];
  let broken = true;
  const url = await serve(t, (path, response) => {
    paths.push(path);
    if (broken) response.writeHead(503).end();
    else response.writeHead(200, { "Content-Type": "application/wasm" }).end(wasm);
  });
  await assert.rejects(compiledModule(`${url}/a`, ""), { why: "network" });
  broken = false;
  const [first, second] = await Promise.all([compiledModule(`${url}/a`, ""), compiledModule(`${url}/a`, "")]);
  assert.equal(first, second);
  assert.deepEqual(paths, ["/a", "/a"]);
});
