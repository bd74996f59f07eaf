// Tabs that come and go at random, over many seeds: what no single test thought of.
//
// KIIWEB_TAB_SEEDS says how many, and KIIWEB_TAB_SEED plays one of them and shows what happened.

import assert from "node:assert/strict";
import { test } from "node:test";

import { World } from "./sim/world.js";

declare const process: { env: Record<string, string | undefined> };
declare const console: { log(text: string): void };

const one = process.env["KIIWEB_TAB_SEED"];
const seeds = Number(process.env["KIIWEB_TAB_SEEDS"] ?? 100);
const steps = 60;

test("whatever tabs do, no message is lost or doubled, all calls settle, one leads, and nothing is left", async () => {
  const wrong: string[] = [];
  for (let seed = one ? Number(one) : 1; seed <= (one ? Number(one) : seeds); seed++) {
    const world = new World(seed);
    const blames = await world.run(steps);
    if (blames.length > 0) wrong.push(`seed ${seed}: ${blames.join("; ")}`);
    if (one) console.log([...world.log, ...blames].join("\n"));
  }
  assert.equal(wrong.join("\n"), "");
});
