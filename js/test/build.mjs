// Builds what `npm test` runs: the tests with the sources they need, one bundle per file,
// and the Go program that they run and crash.

import { execFileSync } from "node:child_process";
import { readdirSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));
const out = ".cache/js-test";

function go(args, env = {}) {
  execFileSync("go", args, { cwd: root, stdio: "inherit", env: { ...process.env, ...env } });
}

rmSync(`${root}${out}`, { recursive: true, force: true });
const tests = readdirSync(`${root}js/test`).filter((name) => name.endsWith(".test.ts"));
go([
  "tool", "esbuild", ...tests.map((name) => `js/test/${name}`),
  "--bundle", "--format=esm", "--platform=node", "--target=node20", "--sourcemap=inline", "--log-level=warning",
  '--define:KIIWEB_VERSION="0.0.0"', '--define:KIIWEB_BUILD="build"', '--define:KIIWEB_MODULE=""', "--define:fs=globalThis.fs",
  // Node.js 18, which Debian 12 has, keeps Web Crypto in a module; Go's glue wants it global, as browsers have it.
  '--banner:js=import { webcrypto } from "node:crypto"; globalThis.crypto ??= webcrypto;',
  `--outdir=${out}`, "--out-extension:.js=.mjs",
]);
go(["build", "-trimpath", "-o", `${out}/crasher.wasm`, "./js/test/testdata/crasher"], { GOOS: "js", GOARCH: "wasm" });
