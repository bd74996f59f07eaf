// Opens a connection's WebSocket while the program that is to speak on it is on its way: a network takes as long for the one as for the other.

import type { ConnectOptions, MqttEndpoint } from "../types/index.js";
import type { Dial } from "./options.js";

/** What MQTT 5 and 3.1.1 have a WebSocket be opened for. */
const subprotocol = "mqtt";

/** Holds a WebSocket that nobody has asked for yet. Nothing is said on it: what is secret is said by the program, which knows to whom. */
export class EarlySocket {
  #socket: WebSocket | undefined;
  #url: string | undefined;
  #open = false; // it has said so

  /** Gives the program the one that was begun for it, or a new one where there is none, or it has closed. */
  readonly dial: Dial = (url, subprotocols) => {
    const socket = this.#socket;
    if (!socket || url !== this.#url || subprotocols[0] !== subprotocol || socket.readyState > 1) return new WebSocket(url, subprotocols);
    this.#socket = undefined;
    if (this.#open) queueMicrotask(() => socket.dispatchEvent(new Event("open"))); // which nobody has heard
    return socket;
  };

  /** Begins the one that a call will most likely ask for, in place of another one. */
  begin(endpoint: MqttEndpoint, options: ConnectOptions): void {
    this.drop();
    this.#open = false;
    try {
      this.#url = likelyURL(endpoint, options);
      if (!this.#url) return;
      this.#socket = new WebSocket(this.#url, subprotocol);
      // The program sets its own of both.
      this.#socket.onopen = () => (this.#open = true);
      this.#socket.onmessage = this.drop; // a broker that speaks first: the program is to see that itself
    } catch {
      // What is wrong is the program's to say.
    }
  }

  /** Closes it, unless the program has it. */
  readonly drop = (): void => {
    this.#socket?.close();
    this.#socket = undefined;
  };
}

/** A URL on this machine, over which the password may go in the clear. */
const here = /^(ws|http):\/\/(([\w-]+\.)*localhost|127\.[\d.]+|\[::1])(:\d+)?\//i;

/**
 * Where the program would connect to; undefined where it would not, or for another sub-protocol, as MQTT 3.1 has. The rules are its
 * own (pkg/kiiweb/route.go); nothing is opened here that they would not: over ws:// this machine alone.
 */
function likelyURL({ host, portWS, portWSS }: MqttEndpoint, { transport, path, protocol }: ConnectOptions): string | undefined {
  if (protocol === 3) return undefined;
  const to = (scheme: string, port: unknown) => `${scheme}://${host}:${port}${path || "/mqtt"}`;
  const plain = to("ws", portWS);
  const local = here.test(plain);
  const by = transport || (local && here.test(location.href) ? "ws" : "wss");
  if (by === "ws" && local) return plain;
  return by === "wss" ? to("wss", portWSS) : undefined; // to an empty one browsers add the page's own
}
