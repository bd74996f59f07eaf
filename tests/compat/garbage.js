// Calls every method of every class with nonsense, and tells what came of it.

globalThis.nonsense = async () => {
  const user = KiiUser.getCurrentUser();
  const throwing = { get length() { throw new Error("length"); }, toJSON() { throw new Error("toJSON"); }, toString() { throw new Error("toString"); } };
  const cyclic = {}; cyclic.self = cyclic;
  const values = [undefined, null, true, NaN, 1n, "", "..", "a/b", "ü\0", "\ud800", "x".repeat(5000), Symbol("s"), {}, [1], () => {},
    Object.create(null), throwing, cyclic, { big: 1n }];
  const context = await Kii.authenticateAsThingWithToken("th", "token");
  const admin = Kii.authenticateAsAdminWithToken("token");
  const objects = {
    Kii, KiiUser, KiiThing, KiiErrorParser, user, other: KiiUser.userWithUsername("other", "password"), push: user.pushInstallation(), topic: user.topicWithName("t"),
    subscription: user.pushSubscription(), bucket: user.bucketWithName("b"), thing: KiiThing.thingWithID("th"), context, admin,
    builder: new KiiPushMessageBuilder({}),
  };
  const apart = ["logOut", "initialize", "initializeWithSite", "take", "logIn", "registration", "become", "constructor", "toJSON"];
  const report = { Calls: 0, Methods: 0, Bad: [] };
  const isError = (e) => Object.prototype.toString.call(e) === "[object Error]";
  const late = (what) => new Promise((resolve) => setTimeout(resolve, 60_000, what));
  for (const [name, object] of Object.entries(objects)) {
    const holders = typeof object === "function" ? [object] : [Object.getPrototypeOf(object), Object.getPrototypeOf(Object.getPrototypeOf(object))];
    const methods = [...new Set(holders.filter((h) => h !== Object.prototype).flatMap((h) => Object.getOwnPropertyNames(h)))]
      .filter((method) => typeof object[method] === "function" && !apart.includes(method) && method !== "prototype");
    for (const method of methods) {
      report.Methods++;
      const calls = values.flatMap((value) => [[value], ["x", value], [value, "x"]]);
      const promises = calls.map((args, i) => {
        report.Calls++;
        const what = `${name}.${method}, call ${i}`;
        try {
          const result = object[method](...args);
          if (!(result instanceof Promise)) return;
          const ended = result.then(() => {}, (e) => isError(e) || typeof e?.message === "string" ? undefined : `${what}: rejects with ${typeof e}`);
          return Promise.race([ended, late(`${what} does not settle`)]);
        } catch (e) {
          if (!isError(e)) return `${what}: throws ${typeof e}`;
        }
      });
      for (const bad of await Promise.all(promises)) if (bad) report.Bad.push(bad);
    }
  }
  for (const args of values.flatMap((value) => [[value, "k", "http://127.0.0.1:1"], ["a", value, "http://127.0.0.1:1"], ["a", "k", value], ["a", "k", location.origin + "/api", value]])) {
    report.Calls++;
    try {
      Kii.initializeWithSite(...args);
    } catch (e) {
      if (!isError(e)) report.Bad.push(`initializeWithSite throws ${typeof e}`);
    }
  }
  return report;
};
