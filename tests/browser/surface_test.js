// Beside page_test.js: calls everything that the library gives with nonsense, and tells what came of it
// that should not have: an error that is no KiiError with code, message and remedy, or none at all.
(() => {
  const frame = document.body.appendChild(document.createElement("iframe"));
  globalThis.foreign = frame.contentWindow; // another realm: its classes are not this page's

  const boom = () => { throw new Error("no"); };
  const thrower = new Proxy({}, { get: boom, has: boom, ownKeys: boom, getOwnPropertyDescriptor: boom, getPrototypeOf: boom });
  const { proxy: revoked, revoke } = Proxy.revocable({}, {});
  revoke();
  const cyclic = {};
  cyclic.self = cyclic;
  const getters = (...names) => Object.defineProperties({}, Object.fromEntries(names.map((name) => [name, { enumerable: true, get: boom }])));
  const liar = { [Symbol.toStringTag]: "AbortSignal" };
  const { signal } = new AbortController();

  globalThis.nonsense = [undefined, null, 0, -1, NaN, Infinity, 2 ** 60, 10n, true, Symbol("s"), "", "\ud800", "x".repeat(1e6), [], {}, () => {},
    thrower, revoked, cyclic, new Date(NaN), new Uint8Array(3), new Float64Array(3), Object.create(null), document.body, Promise.resolve({}),
    foreign.Object(), foreign.Object.create(null), liar, getters("userID", "thingID", "name", "data", "signal", "timeout", "mqttTopic", "username", "qos"),
    { toString: boom, valueOf: boom, toJSON: boom }];
  globalThis.oddOptions = [{ signal: liar }, { signal: thrower }, { signal: revoked }, { signal: new Proxy(signal, {}) }, { signal: getters("aborted") },
    { signal: {} }, { signal: true }, { timeout: thrower }, { timeout: 10n }, { timeout: "5" }, { timeout: 0 }, { timeout: Symbol("t") },
    { get signal() { return boom(); } }, { get timeout() { return boom(); } }];

  /** What is wrong with how a call failed; "" where nothing is. Without the loader errors have a KiiError's fields, and not its class. */
  globalThis.wrongError = (e, raw = false) => {
    try {
      if (!(e instanceof (raw ? Error : lib.KiiError))) return `is no KiiError, but ${Object.prototype.toString.call(e)} ${String(e?.message ?? e)}`;
      for (const name of ["code", "message", "remedy"]) if (typeof e[name] !== "string" || e[name] === "") return `has no ${name}`;
      return typeof e.retryable === "boolean" ? "" : "does not say whether it is retryable";
    } catch {
      return "cannot be read";
    }
  };

  /** Calls method of object; promised: it has to give a Promise, which has to settle. */
  globalThis.attempt = async (object, method, args, promised) => {
    let result;
    try {
      result = object[method](...args);
    } catch (e) {
      return promised ? "throws at once" : wrongError(e);
    }
    if (!promised) return "";
    if (!(result instanceof Promise)) return "gives no Promise";
    const late = Symbol();
    let timer;
    try {
      const end = await Promise.race([result, new Promise((resolve) => (timer = setTimeout(resolve, 40_000, late)))]);
      return end === late ? "does not settle" : "";
    } catch (e) {
      return wrongError(e);
    } finally {
      clearTimeout(timer);
    }
  };

  /** All methods of an object's class, and of those above it. */
  globalThis.methodsOf = (object) => {
    const names = new Set();
    for (let o = Object.getPrototypeOf(object); o !== Object.prototype; o = Object.getPrototypeOf(o)) {
      for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(o))) if (typeof value === "function") names.add(name);
    }
    return [...names].filter((name) => name !== "constructor");
  };

  /** Calls the methods named with nonsense in each place. */
  globalThis.bombard = async (object, methods, { promised = true, places = 3 } = {}) => {
    const report = { calls: 0, bad: [] };
    const note = (method, args, trouble) => {
      report.calls++;
      if (trouble && report.bad.length < 40) report.bad.push(`${method}(${args.map(shown).join(", ")}) ${trouble}`);
    };
    for (const method of methods) {
      for (const value of nonsense) {
        const calls = [[value], [value, value], [value, value, value], ["a", value], ["a", "b", value]].filter(({ length }) => length <= places);
        for (const args of calls) note(method, args, await attempt(object, method, args, promised));
      }
      for (const options of promised ? oddOptions : []) {
        for (const args of [[options], ["a", options], ["a", "b", options]]) note(method, args, await attempt(object, method, args, true));
      }
    }
    return report;
  };

  const shown = (value) => {
    const known = [[thrower, "a proxy that throws"], [revoked, "a revoked proxy"], [liar, "a liar"]].find(([v]) => v === value)?.[1];
    if (known) return known;
    if (typeof value === "string") return JSON.stringify(value.slice(0, 10));
    if (typeof value !== "object" || value === null) return String(value).slice(0, 20);
    try {
      const keys = Object.keys(value).slice(0, 4).map((key) => {
        try {
          return `${key}: ${shown(value[key])}`;
        } catch {
          return `get ${key}`;
        }
      });
      return `${Object.prototype.toString.call(value)} { ${keys.join(", ")} }`;
    } catch {
      return "an object";
    }
  };
})()
