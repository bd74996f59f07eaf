// The least that can be done in JavaScript: PUBLISH is read in twenty lines, unchecked, and
// a packet must not go on in the next frame. It is the mark to measure by, not a client.

import { page } from "./_harness.js";
import { handshake, length, string } from "./_handshake.js";

const text = new TextDecoder();

/** Hands out the messages of a frame; gives the acknowledgements that are due. */
function read(frame, onMessage) {
  const acks = [];
  for (let at = 0; at < frame.length; ) {
    const qos = (frame[at] >> 1) & 3;
    let size = 0;
    let shift = 0;
    let byte;
    do {
      byte = frame[++at];
      size |= (byte & 127) << shift;
      shift += 7;
    } while (byte & 128);
    const end = ++at + size;
    const topic = at + 2;
    let payload = topic + ((frame[at] << 8) | frame[at + 1]);
    const name = text.decode(frame.subarray(topic, payload));
    if (qos) acks.push(0x40, 2, frame[payload++], frame[payload++]);
    onMessage(name, frame.subarray(payload, end));
    at = end;
  }
  return acks;
}

page(async (options) => {
  const ws = await handshake(options);
  const acked = new Map();
  let last = 0;
  ws.onmessage = ({ data }) => {
    const frame = new Uint8Array(data);
    if (frame[0] >> 4 !== 3) {
      for (let at = 0; at < frame.length; at += 4) settle((frame[at + 2] << 8) | frame[at + 3]); // PUBACK
      return;
    }
    const acks = read(frame, options.onMessage);
    if (acks.length) ws.send(new Uint8Array(acks));
  };
  const settle = (id) => {
    acked.get(id)();
    acked.delete(id);
  };
  return {
    publish(topic, bytes, qos) {
      const id = qos ? [++last >> 8, (last &= 32767) & 255] : [];
      const name = string(topic);
      const size = name.length + id.length + bytes.length;
      const head = [0x30 | (qos << 1), ...length(size), ...name, ...id];
      const packet = new Uint8Array(head.length + bytes.length);
      packet.set(head);
      packet.set(bytes, packet.length - bytes.length);
      ws.send(packet);
      return qos ? new Promise((resolve) => acked.set(last, resolve)) : undefined;
    },
    close: () => ws.close(1000),
  };
});
