// Reads what a Publisher has staged: where messages do not go to the Go program at once.

export interface Staged {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: 0 | 1;
  readonly retain: boolean;
}

const header = 7;
const names = /* @__PURE__ */ new TextDecoder(undefined, { ignoreBOM: true });

/** The messages in the order in which they were published; their payloads are parts of bytes. */
export function readStaged(bytes: Uint8Array): Staged[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const messages: Staged[] = [];
  for (let at = 0; at < bytes.length; ) {
    const flags = bytes[at]!;
    const name = at + header;
    const payload = name + view.getUint16(at + 1);
    const end = payload + view.getUint32(at + 3);
    messages.push({
      topic: names.decode(bytes.subarray(name, payload)),
      payload: bytes.subarray(payload, end),
      qos: (flags & 3) as 0 | 1,
      retain: (flags & 4) !== 0,
    });
    at = end;
  }
  return messages;
}

/** Messages in a row that may all be sent again (QoS 1), or of which none may. */
export interface Run {
  readonly bytes: Uint8Array;
  readonly count: number;
  readonly again: boolean;
}

/** All that is staged, in order. */
export function runsOf(bytes: Uint8Array): Run[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const runs: Run[] = [];
  let start = 0;
  let count = 0;
  for (let at = 0; at < bytes.length; ) {
    const again = (bytes[at]! & 3) === 1;
    at += header + view.getUint16(at + 1) + view.getUint32(at + 3);
    count++;
    if (at < bytes.length && ((bytes[at]! & 3) === 1) === again) continue;
    runs.push({ bytes: bytes.subarray(start, at), count, again });
    start = at;
    count = 0;
  }
  return runs;
}
