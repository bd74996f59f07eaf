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

/** Gives a function that acknowledges so many more messages in one frame, cut from a sheet of PUBACKs for the packet identifiers 1, 2, …, period. */
export function acknowledger(ws, period) {
  const sheet = new Uint8Array(4 * period);
  for (let n = 0; n < period; n++) sheet.set([0x40, 2, (n + 1) >> 8, (n + 1) & 255], 4 * n);
  let from = 0; // packet identifiers begin again with the sheet
  return (count) => {
    while (count > 0) {
      const to = Math.min(from + count, period);
      ws.send(sheet.subarray(4 * from, 4 * to));
      count -= to - from;
      from = to % period;
    }
  };
}
