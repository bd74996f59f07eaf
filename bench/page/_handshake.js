// A connection to the broker without a client: CONNECT and SUBSCRIBE, MQTT 3.1.1, by hand.

const text = new TextEncoder();

/** A string as MQTT writes it, with its length in front. */
export const string = (s) => {
  const bytes = text.encode(s);
  return [bytes.length >> 8, bytes.length & 255, ...bytes];
};

/** A length below 16,384 as MQTT writes it. */
export const length = (n) => (n < 128 ? [n] : [(n & 127) | 128, n >> 7]);

const packet = (first, ...rest) => new Uint8Array([first, ...length(rest.length), ...rest]);

/** Gives the open WebSocket once the broker has granted the subscription. */
export async function handshake({ url, id, topic, qos, username, password }) {
  const ws = new WebSocket(url, ["mqtt"]);
  ws.binaryType = "arraybuffer";
  const next = () =>
    new Promise((resolve, reject) => {
      ws.onmessage = ({ data }) => resolve(new Uint8Array(data));
      ws.onclose = ({ code, reason }) => reject(new Error(`The WebSocket closed: ${code} ${reason}`));
    });
  await new Promise((resolve, reject) => {
    ws.onopen = resolve;
    ws.onerror = () => reject(new Error("The WebSocket did not open."));
  });
  const login = username ? [...string(username), ...string(password)] : [];
  const connack = next();
  ws.send(packet(0x10, ...string("MQTT"), 4, username ? 0xc2 : 2, 0, 0, ...string(id), ...login));
  if ((await connack)[3] !== 0) throw new Error("The broker refused CONNECT.");
  const suback = next();
  ws.send(packet(0x82, 0, 1, ...string(topic), qos));
  if ((await suback)[4] > 2) throw new Error("The broker refused SUBSCRIBE.");
  return ws;
}
