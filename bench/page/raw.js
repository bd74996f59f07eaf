// No client at all: frames are counted and nothing is read. What this costs is the
// browser's, and nobody gets below it.

import { page } from "./_harness.js";
import { handshake } from "./_handshake.js";

page(async (options) => {
  const ws = await handshake(options);
  let left = Infinity;
  let counter;
  ws.onmessage = ({ data }) => {
    if (counter.received === 0) {
      counter.received = 1;
      counter.firstAt = performance.now();
    }
    counter.frames++;
    left -= data.byteLength;
    if (left > 0) return;
    counter.received = left === 0 ? counter.wanted : -1;
    counter.finish();
  };
  return {
    expect({ bytes }, next) {
      left = bytes;
      counter = next;
    },
    close: () => ws.close(1000),
  };
});
