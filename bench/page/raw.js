// No client at all: frames are counted and nothing is read. What this costs is the
// browser's, and nobody gets below it. At QoS 1 each frame is answered with one frame of
// acknowledgements, cut from a prepared sheet: messages of a run are all of one size, so
// the bytes tell how many there were.

import { page } from "./_harness.js";
import { handshake } from "./_handshake.js";

/** PUBACKs for the packet identifiers 1, 2, …, count. */
function sheet(count) {
  const acks = new Uint8Array(4 * count);
  for (let n = 0; n < count; n++) acks.set([0x40, 2, (n + 1) >> 8, (n + 1) & 255], 4 * n);
  return acks;
}

page(async (options) => {
  const ws = await handshake(options);
  let total = 0;
  let seen = 0;
  let size; // of a message
  let acks; // undefined at QoS 0
  let acked = 0; // messages; packet identifiers begin again with the sheet
  let counter;

  const acknowledge = (due) => {
    while (acked < due) {
      const from = acked % counter.period;
      const to = Math.min(from + due - acked, counter.period);
      ws.send(acks.subarray(4 * from, 4 * to));
      acked += to - from;
    }
  };

  ws.onmessage = ({ data }) => {
    if (counter.received === 0) {
      counter.received = 1;
      counter.firstAt = performance.now();
    }
    counter.frames++;
    seen += data.byteLength;
    if (acks) acknowledge(Math.floor(seen / size));
    if (seen < total) return;
    counter.received = seen === total ? counter.wanted : -1;
    counter.finish();
  };
  return {
    expect({ bytes, messages, period }, next) {
      total = bytes;
      seen = 0;
      size = bytes / messages;
      acks = options.qos ? sheet(period) : undefined;
      acked = 0;
      counter = next;
    },
    close: () => ws.close(1000),
  };
});
