// A WebSocket whose messages and acknowledgements take the short way.

import type { Express } from "./express.js";

/** So many bytes may wait in the browser; the program's own bound is the same. */
const maxUnsent = 1 << 20;

/** So many acknowledgements are worth a frame at once: a turn costs more than one. */
const plenty = 128;

/** How soon to ask again, in milliseconds. */
const again = 5;

export type Attached = Pick<WebSocket, "onmessage" | "bufferedAmount" | "send" | "close">;

/** One WebSocket that is listened to for the program. */
export class Port {
  readonly number: number;
  readonly #socket: Attached;
  readonly #express: Express;
  #owed = 0;
  #due = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  /** slow takes what express does not. */
  constructor(number: number, socket: Attached, express: Express, slow: (data: unknown) => void) {
    this.number = number;
    this.#socket = socket;
    this.#express = express;
    socket.onmessage = ({ data, timeStamp }) => {
      if (typeof data !== "object" || !express.receive(this, data as ArrayBuffer, timeStamp)) slow(data);
    };
  }

  /**
   * Sends so many more acknowledgements: many at once, few in one frame with those for the frames that come right behind. Below 0:
   * all that come before the packet identifier -acks, and no more. alone: no such frame is expected, since this one came a while after
   * the one before, or none has come in the time that the handlers took in another thread. They wait for no more then.
   */
  owe(acks: number, alone?: boolean): void {
    if (acks < 0 || this.#owed < 0) this.#owed = Math.min(acks, this.#owed);
    else this.#owed += acks;
    if ((alone ? this.#owed > 0 : this.#owed >= plenty) && this.#timer === undefined) return this.pay();
    if (this.#due) return;
    this.#due = true;
    this.#express.afterwards(() => {
      this.#due = false;
      this.pay();
    });
  }

  /** Sends bytes, unless so many wait in the browser that they should wait as well. */
  send(bytes: Uint8Array): boolean {
    if (this.#socket.bufferedAmount > maxUnsent) return false;
    this.#socket.send(bytes as Uint8Array<ArrayBuffer>);
    return true;
  }

  /** Ends it. The WebSocket stays as it is. */
  close(): void {
    this.#closed = true;
    this.#socket.onmessage = null;
    clearTimeout(this.#timer);
  }

  /** Ends the WebSocket, too. */
  abandon(): void {
    this.close();
    this.#socket.close();
  }

  /** Sends the acknowledgements that are owed. */
  pay(): void {
    if (this.#closed || this.#owed === 0 || this.#timer !== undefined) return;
    const bytes = this.#socket.bufferedAmount > maxUnsent ? undefined : this.#express.acknowledge(this.number, this.#owed);
    if (!bytes) {
      this.#timer = setTimeout(() => {
        this.#timer = undefined;
        this.pay();
      }, again);
      return;
    }
    this.#owed = 0;
    if (bytes.length > 0) this.#socket.send(bytes as Uint8Array<ArrayBuffer>);
  }
}
