// Beside page_test.js: what a test of a broker that breaks the rules needs in a page.
(async () => {
  // The program's memory: of the one that runs in this page.
  globalThis.programs = [];
  const plainInstantiate = WebAssembly.instantiate;
  WebAssembly.instantiate = async (...args) => {
    const made = await plainInstantiate.apply(WebAssembly, args);
    programs.push(made.instance ?? made);
    return made;
  };
  globalThis.memory = () => programs.at(-1).exports.mem.buffer.byteLength;
  globalThis.kii = await lib.load({ ...options, host: "main" });
  globalThis.visitors = [];

  // One client: connects, says that it is ready, and stays until a message has come after all.
  globalThis.visit = async ({ id, port, protocol, ready, after, fails }) => {
    const report = { changes: [], messages: 0, error: null, trouble: "" };
    const endpoint = { username: "un", password: "pw", mqttTopic: id, host: "127.0.0.1", portWS: port };
    let last = false;
    const connect = async () => {
      const connection = await kii.connect(endpoint, { protocol, transport: "ws", timeout: 60000 });
      visitors.push(connection);
      connection.on("state", ({ state, error }) => report.changes.push({ state, error: error && describe(error) }));
      connection.on("message", (m) => {
        report.messages++;
        if (m.text() === after) last = true;
      });
      return connection;
    };
    const fail = async () => {
      const connection = await connect();
      await connection.publish(id, ready).then(() => { throw new Error("nobody acknowledged this") }, () => {});
      await until(() => connection.state === "failed");
      throw connection.lastChange.error;
    };
    try {
      if (fails) await fail().catch((e) => (report.error = describe(e)));
      const connection = await connect();
      await connection.publish(id, ready);
      await until(() => last);
    } catch (e) {
      report.trouble = String(e?.stack ?? e);
    }
    return report;
  };
  globalThis.leave = () => Promise.all(visitors.splice(0).map((c) => c.close()));
})()
