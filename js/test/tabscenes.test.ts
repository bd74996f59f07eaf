// Scenes of tabs that once went wrong. The world holds them to the same as what happens at random.

import assert from "node:assert/strict";
import { test } from "node:test";

import { own } from "./sim/cloud.js";
import type { SimPage } from "./sim/page.js";
import { World } from "./sim/world.js";

/** Long enough for everything to settle, in milliseconds. */
const awhile = 5000;

/** In the world of seed 3 nothing is slow, and no tab may connect while another has the connection. */
function scene(name: string, play: (world: World, pages: SimPage[]) => Promise<void>, seed = 3): void {
  test(name, async () => {
    const world = new World(seed);
    const blames = await world.play(async () => {
      const pages: SimPage[] = [];
      for (let i = 0; i < 3; i++) {
        pages.push(await world.open());
        await world.clock.run(awhile);
      }
      await play(world, pages);
    });
    assert.deepEqual(blames, []);
  });
}

const subscribe = (world: World, page: SimPage, filter: string, which = 0) => world.in(page, `subscribes to ${filter}`, () => page.subscribe(page.held[which]!, filter));

scene("filters of a tab that crashes with the leader end", async (world, [leader, , other]) => {
  await subscribe(world, other!, "x");
  await world.clock.run(awhile);
  world.crash(leader!);
  world.crash(other!);
});

scene("filters of a tab that crashes with the leader end, though the next one hears of them when it leads", async (world, [leader, next, other]) => {
  next!.tab.fromChannels.stall(3000);
  await subscribe(world, other!, "x");
  await subscribe(world, leader!, "y");
  await world.clock.run(1000);
  assert.deepEqual([...world.cloud.filters].sort(), ["x", "y"]);
  world.crash(leader!);
  world.crash(other!);
  await world.clock.run(1000);
  assert.equal(next!.client.tabs, "leader");
});

for (const end of ["crashes", "closes"]) {
  scene(`filters of a leader that ${end} end`, async (world, [leader]) => {
    await subscribe(world, leader!, "x");
    await world.clock.run(awhile);
    if (end === "crashes") world.crash(leader!);
    else await world.in(leader!, end, () => leader!.close(leader!.held[0]!));
  });
}

scene("filters of a tab end that crashes, though two leaders end before its filters could", async (world, [first, second]) => {
  const fourth = await world.open();
  await world.clock.run(awhile);
  await subscribe(world, fourth, "x");
  await world.clock.run(awhile);
  world.crash(fourth);
  await world.halt(first!, "frozen");
  await world.clock.run(2);
  await world.halt(second!, "frozen");
});

scene("a filter ends with the connection that had it, though the tab has another", async (world, [, follower]) => {
  await world.in(follower!, "connects", () => follower!.connect());
  await world.clock.run(awhile);
  await subscribe(world, follower!, "x", 1);
  await world.clock.run(awhile);
  await world.in(follower!, "closes", () => follower!.close(follower!.held[1]!));
});

scene("who takes a subscription back in the same turn has none", async (world, [, follower]) => {
  await world.in(follower!, "changes its mind", () => {
    follower!.subscribe(follower!.held[0]!, "x");
    follower!.unsubscribe(follower!.held[0]!, "x");
  });
});

scene("a page that is put aside while it makes a call for another leaves no channel open", async (world, [leader, follower]) => {
  await subscribe(world, follower!, "x");
  while (!world.log.at(-1)!.includes("+x")) await world.clock.run(0.5); // the answer is on its way
  await world.halt(leader!, "aside");
});

scene("a page that is put aside just after it has closed gives its lock back", async (world, [leader]) => {
  await world.in(leader!, "closes", () => leader!.close(leader!.held[0]!));
  await world.halt(leader!, "aside");
});

scene("a leader that hung while it connected again leaves nobody displaced", async (world, [leader]) => {
  await world.clock.as(leader!.tab, () => world.cloud.current!.blip());
  await world.halt(leader!, "hung");
  await world.clock.run(4 * awhile); // another one leads
  world.resume(leader!);
});

scene("a page that freezes when it has just come to lead misses nothing that it was promised", async (world, [leader, next, last]) => {
  for (const page of [next!, last!, leader!]) await world.halt(page, "aside");
  await world.clock.run(awhile);
  leader!.tab.toChannels.stall(2 * awhile); // the browser does not know yet that it listens
  world.resume(leader!);
  await world.clock.run(100);
  world.cloud.push(own, world.clock.now);
  await world.clock.run(100);
  world.cloud.push(own, world.clock.now); // waits until the first one is passed on
  await world.clock.run(100);
  await world.halt(leader!, "frozen");
  world.resume(next!);
  await world.clock.run(4 * awhile);
  assert.equal(world.cloud.stored.length, 0, "the next one has acknowledged both");
  world.resume(leader!);
});

scene("a page that is put aside while it steals the lock does not keep it", async (world, [leader, thief, other]) => {
  await world.halt(leader!, "hung");
  other!.tab.seen = false;
  const robs = () => thief!.tab.thefts.size > 0;
  while (!robs()) await world.clock.run(1);
  await world.halt(thief!, "aside");
  other!.tab.seen = true;
  await world.clock.run(4 * awhile);
  assert.equal(other!.client.tabs, "leader");
});

for (const end of ["frozen", "aside"] as const) {
  scene(`a leader that is ${end} while its CONNECT is on its way leaves nobody displaced`, async (world, [leader, next, last]) => {
    await world.halt(leader!, "aside");
    await world.clock.run(awhile); // the next one leads
    await world.in(next!, "connects again", () => {
      world.cloud.current!.blip();
      next!.host.up.stall(2000); // a WebSocket is opened, and what goes over it is slow
    });
    await world.clock.run(200);
    await world.halt(next!, end);
    await world.clock.run(awhile);
    assert.equal(last!.client.tabs, "leader");
    world.resume(next!);
  }, 4); // which leaves it to chance whether the module or the tabs hear first of it
}

scene("a leader that crashes while its CONNECT is on its way leaves nobody displaced", async (world, [leader, next, last]) => {
  await world.halt(leader!, "aside");
  await world.clock.run(awhile);
  await world.in(next!, "connects again", () => {
    world.cloud.current!.blip();
    next!.host.up.stall(2000);
  });
  await world.clock.run(200);
  next!.host.up.cut = () => {}; // what it has sent arrives
  world.crash(next!);
  await world.clock.run(awhile);
  assert.equal(last!.client.tabs, "leader");
}, 4);

scene("fifty tabs that a browser opens again at once have one connection", async (world, pages) => {
  for (const page of pages) await world.in(page, "disposes", () => page.dispose());
  await world.clock.run(awhile);
  const { connects } = world.cloud;
  for (let i = 0; i < 50; i++) await world.open();
  await world.clock.run(awhile);
  assert.equal(world.cloud.connects - connects, 1);
  assert.equal(world.running.filter(({ client }) => client.tabs === "follower").length, 49);
});
