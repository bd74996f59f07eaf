// The short way for what a WebSocket brings: read by the program where it arrives, in one
// call, and handed on at once. What the program does not take comes the long way, through
// its event loop; it takes nothing while something is still on that way, so the order
// is kept.

import { columns } from "./batch.js";
import type { Handled, Sink } from "./host.js";
import { Port, type Attached } from "./port.js";
import { Turns } from "./turns.js";

/** The program's functions for it. None of them calls back. */
export interface ExpressExports {
  mem: WebAssembly.Memory;
  /**
   * Offers a frame of size bytes, which came at that time, to who is behind a port, and gives how many messages are in the
   * table; -1: it is not taken. Of one for which there is no room its beginning is there.
   */
  kiiwebFrame(port: number, size: number, at: number): number;
  /**
   * Says that so many messages were handled, or, where acks is below 0, all before the one with the packet identifier -acks,
   * and gives how many bytes are to be sent; -1: ask again.
   */
  kiiwebHandled(port: number, acks: number): number;
  /** Takes staged messages of a receiver, and gives how many bytes are to be sent, in the frame's place; -1: they are to come the long way. */
  kiiwebSend(receiver: number, size: number): number;
}

/** What the program hands over for it. */
export interface ExpressOffer {
  /** The address of eight int32: what the functions say besides their results. */
  notes: number;
  /** Makes room for frames of so many bytes, as far as that goes. */
  room(size: number): void;
}

// The notes. Sizes are in bytes.
const FRAME = 0; // address: where a frame goes
const FRAME_SIZE = 1; // of the largest frame
const TABLE = 2; // address
const OUT = 3; // address: what is to be sent
const RECEIVER = 4; // who gets the messages of the latest frame
const ACKS = 5; // how many acknowledgements will be owed for it
const TICKETS = 6; // how many messages of this side it acknowledges, or are sent
const PORT = 7; // over which those are sent

/**
 * A frame that comes so many milliseconds after the one before is acknowledged at once: no other is right behind it as a rule, and
 * a thread that is at rest would have to be woken for a turn.
 */
const apart = 4;

const none = new Int32Array();

export class Express {
  readonly #exports: ExpressExports;
  readonly #offer: ExpressOffer;
  readonly #notes: number; // their place in #words
  readonly #failed: (cause: unknown) => void;
  readonly #sinks = new Map<number, Sink>();
  readonly #ports = new Map<number, Port>();
  #sinkIDs = 0;
  #bytes = new Uint8Array();
  #words = new Int32Array();
  #most = Infinity; // bytes that there may be room for, as far as is known
  readonly #turns = new Turns();
  #owed = 0; // how many frames have come for which acknowledgements are owed
  #came = 0; // when the latest frame came
  #table = none; // the one that was lent with the batch before; most frames have as many messages as the one before

  /** failed is told that the program has died in a call. */
  constructor(exports: ExpressExports, offer: ExpressOffer, failed: (cause: unknown) => void) {
    this.#exports = exports;
    this.#offer = offer;
    this.#notes = offer.notes >> 2;
    this.#failed = failed;
  }

  /** Gives the number by which the program knows sink, and what forgets it. */
  register(sink: Sink): { receiver: number; forget: () => void } {
    const receiver = ++this.#sinkIDs;
    this.#sinks.set(receiver, sink);
    return { receiver, forget: () => this.#sinks.delete(receiver) };
  }

  /** Offers data, which came at that time, to the program, and hands on what is in it. False: it has not taken it. */
  receive(port: Port, data: ArrayBuffer, at: number): boolean {
    const bytes = new Uint8Array(data);
    const alone = at > this.#came + apart;
    this.#came = at;
    let messages: number;
    try {
      messages = this.#try(port, bytes, at);
      // Where the beginning is not enough, as of many small messages, more room may be.
      if (messages < 0 && this.#grow(bytes.length)) messages = this.#try(port, bytes, at);
      if (messages < 0) return false;
      this.#look();
    } catch (cause) {
      this.#failed(cause);
      return true;
    }
    if (this.#note(TICKETS) > 0) {
      this.#settle(this.#note(TICKETS));
      return true;
    }
    const acks = this.#note(ACKS);
    if (messages === 0 && acks === 0) return true;
    // Repeats alone are an empty batch: handled when what came before was.
    const handling = this.#handOut(messages > 0 ? bytes : new Uint8Array(), messages, acks > 0);
    if (acks > 0) {
      const owed = ++this.#owed;
      const owe = (stop: Handled, alone?: boolean) => port.owe(stop ? -stop : acks, alone);
      if (typeof handling === "object") void handling.then((stop) => owe(stop, owed === this.#owed));
      else owe(handling, alone);
    }
    return true;
  }

  /**
   * Of a frame that is too large for the program's memory, which never shrinks, it gets the beginning. A large message needs no
   * more: its payload is not read there.
   */
  #try(port: Port, bytes: Uint8Array, at: number): number {
    this.#look();
    const room = this.#note(FRAME_SIZE);
    this.#bytes.set(bytes.length > room ? bytes.subarray(0, room) : bytes, this.#note(FRAME));
    return this.#exports.kiiwebFrame(port.number, bytes.length, at);
  }

  #handOut(bytes: Uint8Array, messages: number, owed: boolean): Handled | Promise<Handled> {
    const start = this.#note(TABLE) >> 2;
    const size = messages * columns;
    const table = this.#table.length === size ? this.#table : new Int32Array(size);
    this.#table = none; // what a handler brings about gets another one
    if (messages > 1) table.set(this.#words.subarray(start, start + size));
    else for (let i = 0; i < size; i++) table[i] = this.#words[start + i]!;
    const handling = this.#sinks.get(this.#note(RECEIVER))?.batch({ bytes, table, topics: [], firstTopic: 0 }, owed);
    this.#table = table;
    return handling;
  }

  #settle(count: number): void {
    const start = this.#note(TABLE) >> 2;
    const tickets = Int32Array.from({ length: count }, (_, i) => this.#words[start + i * columns]!);
    this.#sinks.get(this.#note(RECEIVER))?.sent(tickets);
  }

  /** Listens to a WebSocket, until the function returned is called. What is not taken here slow gets. */
  listen(socket: Attached, number: number, slow: (data: unknown) => void): () => void {
    const port = new Port(number, socket, this, slow);
    this.#ports.set(number, port);
    return () => {
      port.close();
      this.#ports.delete(number);
    };
  }

  /** Sends staged messages of a receiver at once, and gives how many; 0: they are to go the long way. */
  send(receiver: number, staged: Uint8Array): number {
    try {
      this.stage(staged);
      const size = this.#exports.kiiwebSend(receiver, staged.length);
      if (size < 0) return 0;
      this.#look();
      const sent = this.#ports.get(this.#note(PORT))?.send(this.#bytes.subarray(this.#note(FRAME), this.#note(FRAME) + size));
      return sent ? this.#note(TICKETS) : 0;
    } catch (cause) {
      this.#failed(cause);
      return 0;
    }
  }

  /** Copies bytes to where the program looks for what is to be sent. */
  stage(bytes: Uint8Array): void {
    this.#look();
    this.#grow(bytes.length);
    this.#bytes.set(bytes, this.#note(FRAME));
  }

  /** The bytes of so many acknowledgements; undefined: not now. They are to be used at once. */
  acknowledge(port: number, acks: number): Uint8Array | undefined {
    try {
      const size = this.#exports.kiiwebHandled(port, acks);
      if (size < 0) return undefined;
      this.#look();
      return this.#bytes.subarray(this.#note(OUT), this.#note(OUT) + size);
    } catch (cause) {
      this.#failed(cause);
      return new Uint8Array();
    }
  }

  /** Sends at once what is due: a goodbye that overtakes an acknowledgement makes a repeat of its message. */
  pay(): void {
    for (const port of this.#ports.values()) port.pay();
  }

  /** Calls work when the frames that the browser has by now are read; it gives them out in a row. */
  afterwards(work: () => void): void {
    this.#turns.add(work);
  }

  /** Nothing is to be done any more. The WebSockets end, too: nobody is there who would end them. */
  end(): void {
    for (const port of this.#ports.values()) port.abandon();
    this.#ports.clear();
    this.#turns.end();
  }

  /** Makes the views of the program's memory anew when it has grown, which leaves the old ones empty. To ask for the buffer each time costs more. */
  #look(): void {
    if (this.#bytes.length > 0) return;
    const { buffer } = this.#exports.mem;
    this.#bytes = new Uint8Array(buffer);
    this.#words = new Int32Array(buffer);
  }

  #note(index: number): number {
    return this.#words[this.#notes + index]!;
  }

  /** Makes room for so many bytes; false where there is, or where it cannot be. */
  #grow(size: number): boolean {
    if (size <= this.#note(FRAME_SIZE) || size > this.#most) return false;
    this.#offer.room(size);
    this.#look();
    const enough = size <= this.#note(FRAME_SIZE);
    if (!enough) this.#most = size - 1;
    return enough;
  }
}
