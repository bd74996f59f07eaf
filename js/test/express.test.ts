import assert from "node:assert/strict";
import { test } from "node:test";

import { Decoder, type Batch } from "../src/batch.js";
import { Express } from "../src/express.js";
import type { Sink } from "../src/host.js";
import { Turns } from "../src/turns.js";
import type { Message } from "../types/index.js";

type Test = { after(end: () => unknown): void };

const notes = 64;
const frame = 256;
const table = 4096;
const out = 8192;

/** A program that takes what its script says, as the Go program would. */
function setUp(t: Test, batch: Sink["batch"] = () => {}, told: (tickets: Int32Array) => void = () => {}) {
  const mem = new WebAssembly.Memory({ initial: 1 });
  const words = () => new Int32Array(mem.buffer);
  const handled: number[] = [];
  const died: unknown[] = [];
  const asked: number[] = [];
  let room = 1024;
  const program = {
    mem,
    /** How many messages there are in a frame of those bytes, and how many of them are to be acknowledged; -1: not taken. */
    takes: (bytes: Uint8Array, _size: number): [number, number] => [bytes[0]!, bytes[1]!],
    kiiwebFrame: (_port: number, size: number) => {
      const [messages, acks] = program.takes(new Uint8Array(mem.buffer, frame, Math.min(size, room)).slice(), size);
      if (messages < 0) return messages;
      for (let i = 0; i < messages; i++) words().set([256, 0, 0, 2 + i, 1, 0, 0, 0], table / 4 + i * 8);
      program.tickets.forEach((ticket, i) => (words()[table / 4 + i * 8] = ticket));
      words().set([express_.receiver, acks, program.tickets.length], notes / 4 + 4);
      return messages;
    },
    tickets: [] as number[],
    ready: true,
    kiiwebHandled: (_port: number, acks: number) => {
      if (!program.ready) return -1;
      handled.push(acks);
      const size = Math.abs(acks); // below 0 it is a packet identifier
      new Uint8Array(mem.buffer).fill(7, out, out + size);
      return size;
    },
    /** Takes messages that begin with a 0, and makes of them their other bytes. */
    kiiwebSend: (receiver: number, size: number) => {
      const bytes = new Uint8Array(mem.buffer, frame, size);
      if (receiver !== express_.receiver || bytes[0] !== 0) return -1;
      bytes.copyWithin(0, 1);
      words().set([size - 1, program.port], notes / 4 + 6);
      return size - 1;
    },
    port: 3,
  };
  const tell = () => words().set([frame, room, table, out], notes / 4);
  tell();
  const offer = {
    notes,
    room: (size: number) => {
      asked.push(size);
      if (size > 2048) return;
      room = size;
      mem.grow(1); // the views of before are of no use
      tell();
    },
  };
  const express = new Express(program, offer, (cause) => died.push(cause));
  t.after(() => express.end());
  const express_ = express.register({ batch, state: () => {}, sent: told });
  const sent: Uint8Array[] = [];
  const slow: unknown[] = [];
  const socket = { onmessage: null as WebSocket["onmessage"], bufferedAmount: 0, closed: 0, send: (b: unknown) => sent.push((b as Uint8Array).slice()), close: () => socket.closed++ };
  const leave = express.listen(socket as never, 3, (data) => slow.push(data));
  const bring = (timeStamp: number, bytes: number[]) => {
    const { buffer } = new Uint8Array(bytes);
    socket.onmessage!.call(socket as never, { data: buffer, timeStamp } as MessageEvent);
    return buffer;
  };
  const come = (...bytes: number[]) => bring(0, bytes);
  const comeAt = (timeStamp: number, ...bytes: number[]) => bring(timeStamp, bytes);
  return { express, receiver: express_.receiver, program, leave, socket, sent, slow, handled, died, asked, come, comeAt, forget: express_.forget };
}

/** Waits for something that is to come. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve));
}

const turn = () => new Promise((resolve) => setTimeout(resolve, 20));

test("messages are handed out at once, from the frame itself", (t) => {
  const batches: Batch[] = [];
  const { come, slow } = setUp(t, (batch) => void batches.push(batch));
  const data = come(2, 0, 10, 11);
  assert.equal(batches.length, 1);
  assert.equal(batches[0]!.bytes.buffer, data);
  assert.deepEqual([...batches[0]!.table], [256, 0, 0, 2, 1, 0, 0, 0, 256, 0, 0, 3, 1, 0, 0, 0]);
  assert.deepEqual(slow, []);
});

test("a table is lent: messages have all of theirs when they are made", (t) => {
  const decoder = new Decoder();
  const messages: Message[] = [];
  const tables: number[][] = [];
  const { come } = setUp(t, (batch) => {
    tables.push([...batch.table]);
    decoder.decode({ ...batch, topics: ["a"], firstTopic: 256 }, (message) => messages.push(message));
  });
  for (const count of [2, 2, 1, 1, 100, 3]) come(count, 0, ...Array<number>(count).fill(messages.length + 1));
  assert.deepEqual(tables.map(({ length }) => length / 8), [2, 2, 1, 1, 100, 3]);
  assert.deepEqual(tables[2], [256, 0, 0, 2, 1, 0, 0, 0]);
  const first = (at: number) => messages[at]!.bytes[0];
  assert.deepEqual([0, 1, 2, 3, 4, 5, 6, 105, 106, 108].map(first), [1, 1, 3, 3, 5, 6, 7, 7, 107, 107]);
});

test("what arrives while a batch is handed out has a table of its own", (t) => {
  const tables: Int32Array[] = [];
  const { come } = setUp(t, ({ table }) => {
    tables.push(table);
    if (tables.length === 1) come(2, 0, 8, 9);
  });
  come(2, 0, 10, 11);
  come(2, 0, 12, 13);
  assert.ok(tables[1] !== tables[0]);
  assert.equal(tables[2], tables[0], "the memory is used again");
});

test("acknowledgements of what comes in a row leave together, after the handlers", async (t) => {
  const seen: number[] = [];
  const { come, sent, handled } = setUp(t, ({ table }) => void (table.length > 0 && seen.push(handled.length)));
  come(1, 1, 0);
  come(0, 2); // repeats, which are acknowledged as well
  come(1, 0, 0);
  assert.deepEqual(sent, []);
  await until(() => sent.length > 0);
  assert.deepEqual(handled, [3]);
  assert.deepEqual(sent, [new Uint8Array([7, 7, 7])]);
  assert.deepEqual(seen, [0, 0]);
});

test("of a frame that was handled in part as much is acknowledged, and nothing behind it", async (t) => {
  for (const later of [false, true]) {
    let stop: number | undefined;
    const { come, express, handled } = setUp(t, () => (later ? Promise.resolve(stop) : stop));
    come(1, 1, 0);
    stop = 9;
    come(3, 3, 0, 0, 0);
    come(1, 1, 0);
    await Promise.resolve();
    express.pay(); // as a close does
    assert.deepEqual(handled, [-9]);
    await turn();
    assert.deepEqual(handled, [-9]);
  }
});

test("many acknowledgements leave at once, and once", async (t) => {
  const { come, sent, handled } = setUp(t);
  come(1, 100);
  assert.deepEqual(handled, []);
  come(1, 100);
  assert.deepEqual(handled, [200]);
  assert.equal(sent[0]!.length, 200);
  await turn();
  assert.deepEqual(handled, [200]);
  come(1, 1);
  await until(() => handled.length > 1);
  assert.deepEqual(handled, [200, 1]);
});

test("a frame that comes after a while is acknowledged at once, those right behind it together", async (t) => {
  const { comeAt, handled } = setUp(t);
  comeAt(1000, 1, 1);
  assert.deepEqual(handled, [1]);
  comeAt(1001, 1, 1);
  comeAt(1005, 1, 1);
  assert.deepEqual(handled, [1]);
  await until(() => handled.length > 1);
  assert.deepEqual(handled, [1, 2]);
  comeAt(1009.5, 1, 1);
  assert.deepEqual(handled, [1, 2, 1]);
});

test("many acknowledgements wait until they can be sent, too", async (t) => {
  const { come, program, handled, sent } = setUp(t);
  program.ready = false;
  come(1, 200);
  come(1, 200);
  await turn();
  assert.deepEqual(sent, []);
  program.ready = true;
  await until(() => handled.length > 0);
  assert.deepEqual(handled, [400]);
  assert.equal(sent.length, 1);
});

test("who handles messages elsewhere says when", async (t) => {
  let done!: () => void;
  const { come, handled } = setUp(t, () => new Promise<void>((resolve) => (done = resolve)));
  come(1, 1, 0);
  await turn();
  assert.deepEqual(handled, []);
  done();
  await until(() => handled.length > 0);
  assert.deepEqual(handled, [1]);
});

test("what other hands had is acknowledged at once where nothing has come meanwhile", async (t) => {
  const done: ((stop?: number) => void)[] = [];
  const { come, handled } = setUp(t, () => new Promise((resolve) => done.push(resolve)));
  const word = async (n: number, stop?: number) => {
    done[n]!(stop);
    for (let i = 0; i < 5; i++) await null; // no turn
  };
  come(1, 1, 0);
  await word(0);
  assert.deepEqual(handled, [1]);
  come(1, 1, 0);
  come(1, 1, 0);
  await word(1);
  assert.deepEqual(handled, [1], "more may come");
  await word(2);
  assert.deepEqual(handled, [1, 2]);
  come(1, 1, 0);
  await word(3, 9);
  assert.deepEqual(handled, [1, 2], "what nobody wants any more has time");
  await until(() => handled.length === 3);
  assert.deepEqual(handled, [1, 2, -9]);
});

test("repeats are acknowledged behind what they may repeat", async (t) => {
  const done: (() => void)[] = [];
  const { come, handled } = setUp(t, () => new Promise<void>((resolve) => done.push(resolve)));
  come(1, 1, 0);
  come(0, 1);
  await turn();
  assert.deepEqual(handled, [], "the message is in other hands still");
  for (const resolve of done) resolve();
  await until(() => handled.length > 0);
  assert.deepEqual(handled, [2]);
});

test("acknowledgements wait until they can be sent", async (t) => {
  const { come, program, socket, handled, sent } = setUp(t);
  program.ready = false;
  come(1, 1, 0);
  await turn();
  program.ready = true;
  socket.bufferedAmount = 2 ** 21;
  await turn();
  assert.deepEqual(sent, []);
  come(1, 2, 0);
  socket.bufferedAmount = 0;
  await until(() => handled.length > 0);
  assert.deepEqual(handled, [3]);
});

test("what is not taken goes the long way", (t) => {
  const batches: Batch[] = [];
  const { come, program, socket, slow } = setUp(t, (batch) => void batches.push(batch));
  program.takes = () => [-1, 0];
  const data = come(1, 2, 3);
  socket.onmessage!.call(socket as never, { data: "text" } as MessageEvent);
  assert.deepEqual(slow, [data, "text"]);
  assert.deepEqual(batches, []);
});

test("of a large frame the beginning is enough where the program says so", (t) => {
  const batches: Batch[] = [];
  const { come, slow, program, asked } = setUp(t, (batch) => void batches.push(batch));
  const seen: number[][] = [];
  program.takes = (bytes, size) => (seen.push([bytes.length, size]), [1, 0]);
  const data = come(1, 0, ...new Array(100_000).fill(0));
  assert.deepEqual(seen, [[1024, 100_002]]);
  assert.deepEqual(asked, []);
  assert.equal(batches[0]!.bytes.buffer, data);
  assert.equal(batches[0]!.bytes.length, 100_002);
  assert.deepEqual(slow, []);
});

test("room is made for large frames of which the beginning is not enough, up to a bound", (t) => {
  let count = 0;
  const { come, slow, program, asked } = setUp(t, () => void count++);
  program.takes = (bytes, size) => (bytes.length < size ? [-1, 0] : [1, 0]);
  const large = (size: number) => come(1, 0, ...new Array(size - 2).fill(0));
  large(1500);
  large(4000);
  assert.deepEqual([count, slow.length, asked], [1, 1, [1500, 4000]]);
  large(4000); // is not asked for again
  large(1400);
  assert.deepEqual([count, slow.length, asked], [2, 2, [1500, 4000]]);
  large(1800); // less may do
  assert.deepEqual([count, slow.length, asked], [3, 2, [1500, 4000, 1800]]);
});

test("a program that dies in a call is buried, and nothing goes on", async (t) => {
  const { come, express, program, socket, died, slow, sent } = setUp(t);
  come(1, 1, 0);
  program.takes = () => {
    throw new WebAssembly.RuntimeError("unreachable");
  };
  come(1, 1, 0);
  assert.equal(died.length, 1);
  express.end();
  assert.equal(socket.onmessage, null);
  assert.equal(socket.closed, 1);
  await turn();
  assert.deepEqual(sent, []);
  assert.deepEqual(slow, []);
});

test("messages for who has gone are dropped", (t) => {
  let count = 0;
  const { come, forget } = setUp(t, () => void count++);
  forget();
  come(1, 0, 0);
  assert.equal(count, 0);
});

test("messages of this side that are acknowledged are told of by their tickets", (t) => {
  const told: number[][] = [];
  const { come, program } = setUp(t, () => assert.ok(false, "nothing came"), (tickets) => void told.push([...tickets]));
  program.tickets = [5, 6];
  come(0, 0);
  assert.deepEqual(told, [[5, 6]]);
});

test("messages are sent at once", (t) => {
  const { express, receiver, sent } = setUp(t);
  assert.equal(express.send(receiver, new Uint8Array([0, 5, 6])), 2);
  assert.deepEqual(sent, [new Uint8Array([5, 6])]);
});

test("what is not sent at once is left to the long way", (t) => {
  const { express, receiver, program, leave, socket, sent } = setUp(t);
  assert.equal(express.send(receiver, new Uint8Array([1, 5])), 0, "the program does not take it");
  assert.equal(express.send(receiver + 1, new Uint8Array([0, 5])), 0, "nobody knows the receiver");
  socket.bufferedAmount = (1 << 20) + 1;
  assert.equal(express.send(receiver, new Uint8Array([0, 5])), 0, "the browser has not sent what it has");
  socket.bufferedAmount = 0;
  program.port = 4;
  assert.equal(express.send(receiver, new Uint8Array([0, 5])), 0, "the port is another one");
  program.port = 3;
  leave();
  assert.equal(express.send(receiver, new Uint8Array([0, 5])), 0, "the port is closed");
  assert.deepEqual(sent, []);
});

test("a program that dies while it sends is dead", (t) => {
  const { express, receiver, program, died } = setUp(t);
  const cause = new Error("unreachable");
  program.kiiwebSend = () => {
    throw cause;
  };
  assert.equal(express.send(receiver, new Uint8Array([0, 5])), 0);
  assert.deepEqual(died, [cause]);
});

test("after the end nothing is begun that would have to be ended", async (t) => {
  let open = 0;
  const { MessageChannel: real } = globalThis;
  globalThis.MessageChannel = class extends real {
    constructor() {
      super();
      open++;
      const close = this.port2.close.bind(this.port2);
      this.port2.close = () => (open--, close());
    }
  };
  t.after(() => (globalThis.MessageChannel = real));
  for (const before of [0, 1]) {
    const turns = new Turns();
    let done = 0;
    const work = () => void done++;
    for (let i = 0; i < before; i++) turns.add(work);
    turns.end();
    turns.add(work);
    await new Promise((resolve) => setTimeout(resolve, 5));
    assert.equal(done, 0);
    assert.equal(open, 0);
  }
});

test("what is due is sent before a goodbye, and once", async (t) => {
  const { express, sent, handled, come } = setUp(t);
  come(1, 1);
  come(1, 1);
  assert.deepEqual(handled, []);
  express.pay();
  assert.deepEqual(handled, [2]);
  assert.equal(sent.length, 1);
  await turn();
  assert.deepEqual(handled, [2]);
  assert.equal(sent.length, 1);
});
