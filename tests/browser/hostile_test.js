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
      const connection = await kii.connect(endpoint, { protocol, transport: "ws", timeout: 300_000 });
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
  // One client that is sent noise: whatever that leads to, it is of use again, by itself,
  // or with a new connection where the noise has ended the first one for good.
  globalThis.survive = async ({ id, port, protocol, ready, after }) => {
    const endpoint = { username: "un", password: "pw", mqttTopic: id, host: "127.0.0.1", portWS: port };
    const deadline = Date.now() + 300_000;
    let last = false, trouble = "";
    while (!last && Date.now() < deadline) {
      let connection;
      try {
        connection = await kii.connect(endpoint, { protocol, transport: "ws", timeout: 300_000 });
        connection.on("message", (m) => {
          if (m.text() === after) last = true;
        });
        connection.on("state", ({ state }) => {
          if (state === "displaced") void connection.takeBack().catch(() => {}); // by a DISCONNECT that says so
        });
        if (connection.state === "displaced") await connection.takeBack();
        connection.publish(id, ready).catch(() => {});
        await until(() => last || ["failed", "closed"].includes(connection.state));
      } catch (e) {
        trouble = String(e?.stack ?? e); // the noise was an answer that refuses
      }
      await connection?.close();
    }
    return last ? "" : "it is of no use any more: " + trouble;
  };
  globalThis.leave = () => Promise.all(visitors.splice(0).map((c) => c.close()));
})()
