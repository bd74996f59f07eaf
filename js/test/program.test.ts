import assert from "node:assert/strict";
import { test } from "node:test";

import { KiiError } from "../src/errors.js";
import { Program } from "../src/program.js";
import { quiet, wasm } from "./crasher.js";

const module = await WebAssembly.compile(wasm);
const start = () => Program.start(module);
const call = (program: Program, method: string, ...args: unknown[]) => program.call(program.exports, method, args);

test("nothing of it stays global, and nothing of the page's is lost", async () => {
  const names = ["Go", "fs", "process", "path"];
  const global = globalThis as Record<string, unknown>;
  global.path = "the page's own";
  const before = names.map((name) => Object.getOwnPropertyDescriptor(globalThis, name));
  const keys = Reflect.ownKeys(globalThis).length;
  const program = await start();
  assert.equal(await call(program, "echo", 7), 7);
  assert.deepEqual(names.map((name) => Object.getOwnPropertyDescriptor(globalThis, name)), before);
  assert.equal(Reflect.ownKeys(globalThis).length, keys);
  delete global.path;
});

test("errors of the program are of the loader's class", async () => {
  const fields = { code: "CONFLICT", retryable: false, remedy: "r", status: 409, cause: new Error("below") };
  const promise = call(await start(), "reject", fields);
  await assert.rejects(promise, { name: "KiiError", message: "no", ...fields });
  await promise.catch((error) => assert.ok(error instanceof KiiError));
});

const deaths: { name: string; die: (program: Program) => Promise<unknown>; cause: RegExp }[] = [
  { name: "a panic", die: (p) => call(p, "panic"), cause: /out of biscuits/ },
  { name: "an exit", die: (p) => call(p, "exit"), cause: /./ },
  { name: "a panic of its own", die: (p) => call(p, "never").finally(() => {}), cause: /out of time/ },
  {
    name: "an exception that runs through it",
    die: (p) => call(p, "poke", Object.defineProperty({}, "x", { set: () => { throw new RangeError("from a setter"); } })),
    cause: /from a setter/,
  },
];

for (const { name, die, cause } of deaths) {
  test(`${name} rejects what is pending and leaves the others alone`, async (t) => {
    quiet(t);
    const [program, other] = await Promise.all([start(), start()]);
    const told: KiiError[] = [];
    program.onDeath((death) => told.push(death));
    program.onDeath(() => told.push(new KiiError("taken away", { code: "CRASHED", retryable: true, remedy: "" })))();
    const pending = call(program, "never");
    if (name === "a panic of its own") void call(program, "later").catch(() => {});
    for (const promise of [die(program), pending]) {
      await assert.rejects(promise, { name: "KiiError", code: "CRASHED", retryable: true });
    }
    assert.equal(told.length, 1);
    assert.match(String(told[0]!.cause), cause);
    await assert.rejects(call(program, "echo", 1), { code: "CRASHED" });
    program.onDeath((death) => told.push(death));
    assert.equal(told[1], told[0], "who asks late is told at once");
    assert.equal(await call(other, "echo", "alive"), "alive");
  });
}

test("what the program prints goes to the console, line by line", async (t) => {
  const lines = quiet(t);
  const program = await start();
  await assert.rejects(call(program, "panic"), { code: "CRASHED" });
  assert.match(lines.join("\n"), /out of biscuits/);
});

test("a module of something else does not start", async () => {
  const empty = await WebAssembly.compile(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]));
  await assert.rejects(Program.start(empty), { code: "WASM_LOAD", why: "mismatch" });
});
