// What the Chromium columns find in their page: our client from the shipped files, as
// interop.connect and the functions of the connections that it made.
(async (host) => {
  // What is under way in the page: timers, listeners on what outlives a connection, sockets.
  const timers = new Set(), listeners = new Map(), sockets = new Set();
  for (const kind of ["Timeout", "Interval"]) {
    const set = globalThis["set" + kind].bind(globalThis), clear = globalThis["clear" + kind].bind(globalThis);
    globalThis["set" + kind] = (f, ms, ...args) => {
      const id = set((...a) => {
        if (kind === "Timeout") timers.delete(id);
        f(...a);
      }, ms, ...args);
      timers.add(id);
      return id;
    };
    globalThis["clear" + kind] = (id) => {
      timers.delete(id);
      clear(id);
    };
  }
  const lasting = (target) => target === undefined || target === globalThis || target === document || target === navigator.connection;
  const { addEventListener: add, removeEventListener: remove } = EventTarget.prototype;
  const key = (type, f) => type + " " + (listeners.get(f) ?? listeners.set(f, listeners.size).get(f));
  const held = new Set();
  EventTarget.prototype.addEventListener = function (type, f, o) {
    if (lasting(this)) {
      held.add(key(type, f));
      o?.signal && add.call(o.signal, "abort", () => held.delete(key(type, f)));
    }
    return add.call(this ?? globalThis, type, f, o);
  };
  EventTarget.prototype.removeEventListener = function (type, f, o) {
    if (lasting(this)) held.delete(key(type, f));
    return remove.call(this ?? globalThis, type, f, o);
  };
  globalThis.WebSocket = class extends WebSocket {
    constructor(...args) {
      super(...args);
      sockets.add(this);
    }
  };
  const { load } = await import("/kiiweb/kiiweb.mjs");
  const kii = await load({ appID: "interop", appKey: "interop", baseURL: location.origin + "/api", host });
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
    left: () => ({ timers: timers.size, listeners: held.size, sockets: [...sockets].filter((s) => s.readyState < 3).length }),
    close: (n) => settle(() => clients[n].connection.close()),
  };
  return navigator.userAgent.match(/Chrome\/([\d.]+)/)[1];
})
