// No client at all: frames are counted and nothing is read. What this costs is the
// browser's, and nobody gets below it. At QoS 1 each frame is answered with one frame of
// acknowledgements: messages of a run are all of one size, so the bytes tell how many there were.

import { page } from "./_harness.js";
import { acknowledger, handshake } from "./_handshake.js";

page(async (options) => {
  const ws = await handshake(options);
  let total = 0;
  let seen = 0;
  let size; // of a message
  let acknowledge; // undefined at QoS 0
  let acked = 0; // messages
  let counter;

  ws.onmessage = ({ data }) => {
    if (counter.received === 0) {
      counter.received = 1;
      counter.firstAt = performance.now();
    }
    counter.frames++;
    seen += data.byteLength;
    if (acknowledge) {
      const due = Math.floor(seen / size);
      acknowledge(due - acked);
      acked = due;
    }
    if (seen < total) return;
    counter.received = seen === total ? counter.wanted : -1;
    counter.finish();
  };
  return {
    expect({ bytes, messages, period }, next) {
      total = bytes;
      seen = acked = 0;
      size = bytes / messages;
      acknowledge = options.qos ? acknowledger(ws, period) : undefined;
      counter = next;
    },
    close: () => ws.close(1000),
  };
});
