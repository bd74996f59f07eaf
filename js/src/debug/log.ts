// The debug log of one client: makes entries of what is seen, and hands them to the user.

import type { DebugEntry, State } from "../../types/index.js";
import { columns } from "../batch.js";
import type { Host } from "../host.js";
import type { Debug } from "../options.js";
import { report } from "../report.js";
import { Conversation } from "./packets.js";
import { tapOf, type Seen, type Tap } from "./tap.js";
import { wordsFor, type Wordless } from "./text.js";
import { WatchedHost } from "./watchedhost.js";

/** How many WebSockets are remembered that were not seen to close: a worker that dies takes its own along. */
const maxConversations = 64;

/** What tabs say, as far as it is told. */
interface Said {
  type?: unknown;
  from?: unknown;
  method?: unknown;
  batch?: { table: Int32Array };
  change?: { state: State } | null;
}

export class DebugLog {
  readonly tap: Tap;
  readonly #take: (entry: DebugEntry) => void;
  readonly #conversations = new Map<number, Conversation>();
  #host: Host | undefined;
  #place = "";
  #waiting: DebugEntry[] = [];

  constructor(debug: Debug) {
    this.#take = debug === true ? toConsole : debug;
    this.tap = { ...tapOf((seen) => this.#saw(seen)), channel: (name) => this.#channel(name) };
  }

  /** Looks on at a client's host from now on. */
  watch(host: Host): Host {
    this.#host = host;
    return new WatchedHost(host, (entry) => this.#tell(entry));
  }

  /**
   * Hands an entry out behind what is on the stack: the module may be there, or a part of this library that
   * is not ready to be called back.
   */
  #tell(entry: Wordless): void {
    this.#look(entry.at);
    this.#say(entry);
  }

  #say(entry: Wordless): void {
    const told = { ...entry, text: wordsFor(entry) } as DebugEntry;
    if (this.#waiting.push(told) > 1) return;
    queueMicrotask(() => {
      for (const one of this.#waiting.splice(0)) {
        try {
          this.#take(one);
        } catch (error) {
          report(error);
        }
      }
    });
  }

  /** Tells of a change that nobody else tells of. */
  #look(at: number): void {
    if (!this.#host) return;
    const { name, reason, tabs = null, tabsReason } = this.#host.place;
    const place = { host: name, tabs, ...(reason && { hostReason: reason.code }), ...(tabsReason && { tabsReason: tabsReason.code }) };
    const key = JSON.stringify(place);
    if (key === this.#place) return;
    const first = this.#place === "";
    this.#place = key;
    if (!first || name || tabs) this.#say({ type: "place", at, ...place });
  }

  #saw(seen: Seen): void {
    const { at } = seen;
    switch (seen.type) {
      case "opening":
        if (this.#conversations.size === maxConversations) this.#conversations.clear();
        this.#conversations.set(seen.socket, new Conversation());
        this.#tell({ ...seen, type: "socket", event: "opening" });
        break;
      case "open":
        this.#tell({ ...seen, type: "socket", event: "open" });
        break;
      case "closed":
        this.#conversations.delete(seen.socket);
        this.#tell({ ...seen, type: "socket", event: "closed" });
        break;
      case "request":
        this.#tell(seen);
        break;
      case "frame": {
        const { socket, sent, bytes } = seen;
        const described = this.#conversations.get(socket)?.describe(bytes, sent) ?? [];
        for (const description of described) this.#tell({ type: "packet", at, socket, sent, ...description });
      }
    }
  }

  /** A BroadcastChannel, and what passes over it. */
  #channel(name: string): BroadcastChannel {
    const channel = new BroadcastChannel(name);
    channel.addEventListener("message", ({ data }) => this.#said(data as Said, false));
    const { postMessage } = channel;
    channel.postMessage = (message) => {
      this.#said(message as Said, true);
      postMessage.call(channel, message);
    };
    return channel;
  }

  /** Tells the kind of a message, and no more of it than is harmless. */
  #said({ type, from, method, batch, change }: Said, sent: boolean): void {
    if (typeof type !== "string") return; // an echo
    this.#tell({
      type: "tabs",
      at: Date.now(),
      sent,
      message: type,
      ...(typeof from === "string" && { from }),
      ...(typeof method === "string" && { method }),
      ...(batch && { messages: batch.table.length / columns }),
      ...(change && { state: change.state }),
    });
  }
}

function toConsole({ at, text }: DebugEntry): void {
  console.debug(`kiiweb ${new Date(at).toISOString().slice(11, 23)} ${text}`);
}
