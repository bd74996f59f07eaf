// What the Chromium columns find in their page: our client from the shipped files, as
// interop.connect and the functions of the connections that it made.
(async () => {
  const { load } = await import("/kiiweb/kiiweb.mjs");
  const kii = await load({ appID: "interop", appKey: "interop", baseURL: location.origin + "/api" });
  const clients = [];
  /** Gives { value } or { code, text } of what a function rejects with. */
  const settle = async (work) => {
    try {
      return { value: await work() };
    } catch (error) {
      return { code: error.code ?? "no KiiError", text: String(error) };
    }
  };
  globalThis.interop = {
    connect: (endpoint, options) =>
      settle(async () => {
        const connection = await kii.connect(endpoint, options);
        const client = { connection, got: [], states: [connection.state] };
        connection.on("message", (m) => client.got.push([m.topic, m.text(), m.qos, m.retain]));
        connection.on("state", ({ state }) => client.states.push(state));
        return clients.push(client) - 1;
      }),
    publish: (n, topic, payloads, options) =>
      settle(async () => {
        for (const payload of payloads) await clients[n].connection.publish(topic, payload, options);
      }),
    subscribe: (n, filter, options) => settle(() => clients[n].connection.subscribe(filter, options)),
    unsubscribe: (n, filter, options) => settle(() => clients[n].connection.unsubscribe(filter, options)),
    messages: (n, from) => clients[n].got.slice(from),
    states: (n) => clients[n].states,
    online: () => void dispatchEvent(new Event("online")),
    close: (n) => settle(() => clients[n].connection.close()),
  };
  return navigator.userAgent.match(/Chrome\/([\d.]+)/)[1];
})()
