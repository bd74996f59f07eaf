// u8-mqtt, https://github.com/shanewholloway/js-u8-mqtt

import { mqtt_v4, mqtt_v5 } from "u8-mqtt";
import { page } from "./_harness.js";

page(async ({ url, id, topic, qos, protocol, username, password, onMessage }) => {
  const client = (protocol === 5 ? mqtt_v5 : mqtt_v4)();
  client.log_conn = () => {};
  client.with_websock(new WebSocket(url, ["mqtt"]));
  await client.connect({ client_id: id, flags: { clean_start: true }, ...(username && { username, password }) });
  // Every message, as with the others; its router would pick by topic.
  client.on_topic("#", (packet) => onMessage(packet.topic, packet.payload));
  await client.subscribe({ topics: [{ topic, opts: { qos } }] });
  return {
    // At QoS 0 its own pub throws a TypeError (0.6.7): it asks for an acknowledgement of null. What pub
    // would call is called here instead.
    publish: (topic, payload, qos) =>
      qos ? client.pub({ topic, payload, qos }) : client._send("publish", { topic, payload, qos }),
    close: () => client.disconnect(),
  };
});
