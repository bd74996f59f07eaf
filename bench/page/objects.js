// What no client gets below: frames as the frame counter counts them, and of each message what makes
// a client of it. That is an object with its topic and a view of its payload, and a call of the
// application's handler. Nothing is read or checked to make it: messages of a run are all of
// one size, so it is known beforehand where they are.

import { page } from "./_harness.js";
import { acknowledger, handshake } from "./_handshake.js";

/** How many bytes of a packet stand before its payload: MQTT 3.1.1, 3.3. */
const headOf = (size, topicLength, qos) => 1 + (size - 2 < 128 ? 1 : 2) + 2 + topicLength + (qos ? 2 : 0);

page(async (options) => {
  const ws = await handshake(options);
  const { qos, onMessage } = options;
  let size; // of a packet
  let head;
  let topic;
  let acknowledge; // undefined at QoS 0

  const handle = ({ topic, bytes }) => onMessage(topic, bytes);
  ws.onmessage = ({ data }) => {
    const frame = new Uint8Array(data);
    for (let at = 0; at < frame.length; at += size) handle({ topic, bytes: frame.subarray(at + head, at + size) });
    acknowledge?.(frame.length / size);
  };
  return {
    expect({ bytes, messages, period, topicLength }) {
      size = bytes / messages;
      head = headOf(size, topicLength, qos);
      topic = "t".repeat(topicLength);
      acknowledge = qos ? acknowledger(ws, period) : undefined;
    },
    close: () => ws.close(1000),
  };
});
