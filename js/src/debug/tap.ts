// Looks on where the module runs, for the debug log: at its WebSockets and its requests. Nothing
// of it is in the way of what passes while there is no log.

/** What a tap has seen. Bytes are as they passed, and to be looked at at once. */
export type Seen = { at: number } & (
  | { type: "opening"; socket: number; url: string }
  | { type: "open"; socket: number; subprotocol: string }
  | { type: "closed"; socket: number; closeCode: number; reason: string }
  | { type: "frame"; socket: number; sent: boolean; bytes: Uint8Array }
  | { type: "request"; request: number; method: string; url: string; status?: number; failure?: string; duration?: number }
);

/** Hands out what is to be looked at. None of its methods throws. */
export interface Tap {
  /** Looks on at a WebSocket from now on, which has not told of its opening yet. */
  socket(socket: WebSocket): void;
  /** Takes the place of the browser's own for the module. */
  fetch(url: string, init: RequestInit): Promise<Response>;
  /** Takes what was seen in a worker. */
  tell(seen: Seen): void;
  /** Takes the place of new BroadcastChannel; absent in a worker. */
  channel?(name: string): BroadcastChannel;
}

/** Makes a tap that tells what it sees. tell does not throw. */
export function tapOf(tell: (seen: Seen) => void): Tap {
  let sockets = 0;
  let requests = 0;
  return {
    tell,
    socket(socket) {
      const common = () => ({ at: Date.now(), socket: number });
      const number = ++sockets;
      tell({ type: "opening", ...common(), url: shown(socket.url) });
      socket.addEventListener("open", () => tell({ type: "open", ...common(), subprotocol: socket.protocol }));
      socket.addEventListener("close", ({ code, reason }) => tell({ type: "closed", ...common(), closeCode: code, reason }));
      // Before the module's own listener: what comes of a frame is told behind it.
      socket.addEventListener("message", ({ data }) => {
        if (data instanceof ArrayBuffer) tell({ type: "frame", ...common(), sent: false, bytes: new Uint8Array(data) });
      });
      const { send } = socket;
      socket.send = (bytes) => {
        tell({ type: "frame", ...common(), sent: true, bytes: bytes as Uint8Array });
        send.call(socket, bytes);
      };
    },
    fetch(url, init) {
      const request = { type: "request", request: ++requests, method: init.method!, url: shown(url) } as const;
      const began = performance.now();
      const done = () => ({ at: Date.now(), ...request, duration: Math.round(performance.now() - began) });
      tell({ at: Date.now(), ...request });
      const answer = fetch(url, init);
      answer.then(
        ({ status }) => tell({ ...done(), status }),
        (error: unknown) => tell({ ...done(), failure: (error as Error)?.name ?? "Error" }), // its message may hold what was sent
      );
      return answer;
    },
  };
}

/** A URL without what may be secret in it: what stands before the host, and from the query on. */
function shown(url: string): string {
  return url.replace(/[?#].*/s, "").replace(/^(\w+:\/\/)[^/]*@/, "$1");
}
