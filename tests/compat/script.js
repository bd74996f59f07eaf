// The script that runs with Kii's SDK and with kiiweb/compat. Each step is one call, made in the
// style that the run is in; what it comes to is told in the same words for both.
//
// A step is [name, deviation or "", call]. The call gets callbacks, or undefined where the run is
// in the Promise style. deviation names an entry of deviations_test.go.

globalThis.makeSteps = ({ appID, appKey, api, clientID, clientSecret, style }) => {
  const password = "a long enough password";
  const n = style; // names differ between the styles
  const v = {}; // what earlier steps made
  const keep = (name, promise) => promise.then((value) => (v[name] = value), (error) => { throw error; });
  const message = (data) => new KiiPushMessageBuilder(data).build();
  const canned = (status, body) => fetch("/canned", { method: "POST", body: JSON.stringify(status === null ? null : { status, body }) });
  const push = () => v.user.pushInstallation();
  const sub = () => v.user.pushSubscription();
  const topic = () => v.user.topicWithName("news");

  const steps = [
    // Nobody is logged in.
    ["initializeWithSite", "", () => (Kii.initializeWithSite(appID, appKey, api), [Kii.getAppID(), Kii.getAppKey(), Kii.getBaseURL() === api, Kii.getCurrentUser(), Kii.loggedIn()])],
    ["KiiSite", "", () => [KiiSite.US, KiiSite.JP, KiiSite.SG, KiiSite.EU]],
    ["installMqtt, logged out", "logged out", (cb) => new KiiPushInstallation().installMqtt(false, cb)],
    ["getMqttEndpoint, logged out", "logged out", (cb) => new KiiPushInstallation().getMqttEndpoint("x", cb)],
    ["uninstall, logged out", "logged out", (cb) => new KiiPushInstallation().uninstall("x", "MQTT", cb)],
    ["uninstallByInstallationID, logged out", "logged out", (cb) => new KiiPushInstallation().uninstallByInstallationID("x", cb)],
    ["topic.exists, logged out", "", (cb) => Kii.topicWithName("x").exists(cb)],
    ["topic.save, logged out", "", (cb) => Kii.topicWithName("x").save(cb)],
    ["listTopics, logged out", "", (cb) => Kii.listTopics(cb)],
    ["loadWithThingID, logged out", "", (cb) => KiiThing.loadWithThingID("x", cb)],

    // Users.
    ["register", "", (cb) => keep("user", KiiUser.userWithUsername(`user-${n}`, password).register(cb))],
    ["register: the user", "", () => [v.user, v.user.getUsername(), v.user.isPseudoUser(), v.user.objectURI() === `kiicloud://users/${v.user.getID()}`, v.user.getUUID() === v.user.getID(), Kii.loggedIn(), KiiUser.loggedIn(), KiiUser.getCurrentUser(), v.user.getAccessTokenObject()]],
    ["register with all names and fields", "", (cb) => {
      const user = KiiUser.userWithCredentials(`all-${n}@example.com`, `+8190000000${n.length}`, `all-${n}`, password);
      user.setDisplayName("Ann"); user.setCountry("JP"); user.setLocale("ja"); user.set("score", 7); user.set("tags", ["a"]);
      return keep("all", user.register(cb));
    }],
    ["register by e-mail address", "", (cb) => KiiUser.userWithEmailAddress(`mail-${n}@example.com`, password).register(cb)],
    ["register by phone number", "", (cb) => KiiUser.userWithPhoneNumber(`+8180000000${n.length}`, password).register(cb)],
    ["register: the name is taken", "", (cb) => KiiUser.userWithUsername(`user-${n}`, password).register(cb)],
    ["authenticate by name", "", (cb) => keep("user", KiiUser.authenticate(`user-${n}`, password, cb))],
    ["authenticate by e-mail address", "", (cb) => KiiUser.authenticate(`all-${n}@example.com`, password, cb)],
    ["authenticate by phone number", "", (cb) => KiiUser.authenticate(`+8190000000${n.length}`, password, cb)],
    ["authenticate: wrong password", "", (cb) => KiiUser.authenticate(`user-${n}`, "not the password", cb)],
    ["authenticate: unknown user", "", (cb) => KiiUser.authenticate("nobody-at-all", password, cb)],
    ["authenticate: who stays", "", () => [KiiUser.getCurrentUser(), Kii.loggedIn()]],
    ...[[""], [null], [undefined], ["ab"], ["a b c"], ["x".repeat(65)], [" spaces "]].map(([id]) =>
      [`authenticate: identifier ${JSON.stringify(id)}`, "", (cb) => KiiUser.authenticate(id, password, cb)]),
    ["authenticate: a number", "type error", (cb) => KiiUser.authenticate(5, password, cb)],
    ...["", null, undefined, "abc", "x".repeat(51), "パスワード"].map((bad) =>
      [`authenticate: password ${JSON.stringify(bad)}`, "", (cb) => KiiUser.authenticate("someone", bad, cb)]),
    ["authenticate with an expiry", "", (cb) => (Kii.setAccessTokenExpiration(3600), KiiUser.authenticate(`user-${n}`, password, cb))],
    ["setAccessTokenExpiration", "", () => (Kii.setAccessTokenExpiration(0), Kii.getAccessTokenExpiration())],
    ["authenticateWithToken", "", (cb) => keep("user", KiiUser.authenticateWithToken(v.user.getAccessToken(), cb))],
    ["authenticateWithToken, with its end", "", (cb) => keep("user", KiiUser.authenticateWithToken(v.user.getAccessToken(), cb, new Date(2e12)))],
    ["authenticateWithToken: its end", "", () => v.user.getAccessTokenObject().expires_at.getTime()],
    ["authenticateWithToken: a bad one", "", (cb) => KiiUser.authenticateWithToken("no-such-token", cb)],
    ["authenticateWithToken: none", "empty argument", (cb) => KiiUser.authenticateWithToken("", cb)],
    ["registerAsPseudoUser", "", (cb) => keep("pseudo", KiiUser.registerAsPseudoUser(cb, { colour: "blue" }))],
    ["registerAsPseudoUser: the user", "", () => [v.pseudo, v.pseudo.isPseudoUser(), v.pseudo.get("colour"), v.pseudo.getUsername(), v.pseudo.getAccessTokenObject().expires_at.getTime()]],
    ["registerAsPseudoUser without fields", "", (cb) => KiiUser.registerAsPseudoUser(cb)],
    ["registerAsPseudoUser: fields that are none", "wrong argument", (cb) => KiiUser.registerAsPseudoUser(cb, "x")],
    ["back to the user", "", (cb) => keep("user", KiiUser.authenticate(`user-${n}`, password, cb))],
    ["refresh", "", (cb) => v.user.refresh(cb)],
    ["refresh: another user", "", (cb) => KiiUser.userWithID("nobody").refresh(cb)],
    ["refresh: a user without an id", "missing id", (cb) => KiiUser.userWithUsername("fresh", password).refresh(cb)],
    ...[
      ["userWithUsername", ["", password]], ["userWithUsername", ["a b", password]], ["userWithUsername", ["ab", password]], ["userWithUsername", [null, password]],
      ["userWithUsername", ["someone", "abc"]], ["userWithUsername", ["someone", null]], ["userWithEmailAddress", ["no mail", password]], ["userWithEmailAddress", ["a@b@c", password]],
      ["userWithPhoneNumber", ["123", password]], ["userWithPhoneNumber", ["+81 90 1234 5678", password]], ["userWithID", [""]], ["userWithID", [null]],
      ["userWithURI", ["x"]], ["userWithURI", ["kiicloud://groups/abc"]], ["userWithURI", ["kiicloud://users/abc"]], ["userWithUsername", ["  padded  ", password]],
    ].map(([name, args]) => [`${name}(${JSON.stringify(args).slice(1, -1)})`, "", () => KiiUser[name](...args)]),
    ...[-1, "x", NaN, null].map((bad) => [`setAccessTokenExpiration(${bad})`, "", () => Kii.setAccessTokenExpiration(bad)]),
    ...["", 5, "x".repeat(51)].map((bad) => [`setDisplayName(${JSON.stringify(bad)})`, "", () => KiiUser.getCurrentUser().setDisplayName(bad)]),
    ["setCountry(\"JPN\")", "", () => KiiUser.getCurrentUser().setCountry("JPN")],

    // Push.
    ["installMqtt(false)", "", (cb) => keep("installation", push().installMqtt(false, cb))],
    ["installMqtt(true), again", "", (cb) => push().installMqtt(true, cb)],
    ["getMqttEndpoint", "fetchedAt", (cb) => push().getMqttEndpoint(v.installation.installationID, cb)],
    ["uninstall", "", (cb) => push().uninstall(v.installation.installationRegistrationID, "MQTT", cb)],
    ["uninstall: gone already", "", (cb) => push().uninstall(v.installation.installationRegistrationID, "MQTT", cb)],
    ["getMqttEndpoint: gone already", "", (cb) => push().getMqttEndpoint(v.installation.installationID, cb)],
    ["installMqtt, a new one", "", (cb) => keep("installation", push().installMqtt(false, cb))],
    ["uninstallByInstallationID", "", (cb) => push().uninstallByInstallationID(v.installation.installationID, cb)],
    ["uninstallByInstallationID: gone already", "", (cb) => push().uninstallByInstallationID(v.installation.installationID, cb)],
    ...[undefined, null, "true", 1, 0, {}, []].map((bad) => [`installMqtt(${JSON.stringify(bad)})`, "sent all the same", (cb) => push().installMqtt(bad, cb)]),
    ...[undefined, null, "", 1, {}].flatMap((bad) => [
      [`getMqttEndpoint(${JSON.stringify(bad)})`, "sent all the same", (cb) => push().getMqttEndpoint(bad, cb)],
      [`uninstallByInstallationID(${JSON.stringify(bad)})`, "sent all the same", (cb) => push().uninstallByInstallationID(bad, cb)],
      [`uninstall(${JSON.stringify(bad)}, "MQTT")`, "sent all the same", (cb) => push().uninstall(bad, "MQTT", cb)],
    ]),
    ...["FOO", "mqtt", "", undefined, null].map((bad) => [`uninstall("x", ${JSON.stringify(bad)})`, "sent all the same", (cb) => push().uninstall("x", bad, cb)]),
    ["uninstall(\"\", \"FOO\")", "sent all the same", (cb) => push().uninstall("", "FOO", cb)],
    ["uninstall(\"x\", \"ANDROID\")", "other channels", (cb) => push().uninstall("x", "ANDROID", cb)],
    ["uninstall(\"x\", \"IOS\")", "other channels", (cb) => push().uninstall("x", "IOS", cb)],
    ...["50%", "%zz", "%2F", "a/b", "a#b", "a?b=c", "%25"].flatMap((id) => [
      [`getMqttEndpoint(${JSON.stringify(id)})`, "not escaped", (cb) => push().getMqttEndpoint(id, cb)],
      [`uninstallByInstallationID(${JSON.stringify(id)})`, "not escaped", (cb) => push().uninstallByInstallationID(id, cb)],
      [`uninstall(${JSON.stringify(id)}, "MQTT")`, "not escaped", (cb) => push().uninstall(id, "MQTT", cb)],
    ]),
    ["getMqttEndpoint(\"a b\")", "", (cb) => push().getMqttEndpoint("a b", cb)],
    ...[".", ".."].map((id) => [`getMqttEndpoint(${JSON.stringify(id)})`, "dot segment", (cb) => push().getMqttEndpoint(id, cb)]),

    // Topics and subscriptions.
    ["topic.exists: no", "", (cb) => topic().exists(cb)],
    ["topic.save", "", (cb) => topic().save(cb)],
    ["topic.save, again", "", (cb) => topic().save(cb)],
    ["topic.exists: yes", "", (cb) => topic().exists(cb)],
    ["isSubscribed: no", "", (cb) => sub().isSubscribed(topic(), cb)],
    ["subscribe", "", (cb) => sub().subscribe(topic(), cb)],
    ["subscribe, again", "", (cb) => sub().subscribe(topic(), cb)],
    ["isSubscribed: yes", "", (cb) => sub().isSubscribed(topic(), cb)],
    ["sendMessage", "", (cb) => topic().sendMessage(message({ text: "hello" }), cb)],
    ["sendMessage to all channels", "", (cb) => topic().sendMessage(new KiiPushMessageBuilder({ a: 1 }).enableGcm(true).gcmData({ a: "1" }).gcmCollapseKey("k")
      .gcmDelayWhileIdle(true).gcmTimeToLive(60).gcmRestrictedPackageName("p").enableApns(true).apnsData({ b: 2 }).apnsAlert("alert").apnsSound("sound").apnsBadge(1)
      .apnsContentAvailable(1).apnsCategory("c").apnsMutableContent(1).enableJpush(true).jpushData({ c: true }).enableMqtt(true).mqttData({ d: "4" })
      .setSendToDevelopment(false).setSendToProduction(true).build(), cb)],
    ["sendMessage, nested", "", (cb) => topic().sendMessage(message({ nested: {} }), cb)],
    ["sendMessage, no channel", "", (cb) => topic().sendMessage({ data: { a: 1 } }, cb)],
    ["sendMessage, too large", "", (cb) => topic().sendMessage(message({ text: "x".repeat(5000) }), cb)],
    ...[undefined, null, "x", 5].map((bad) => [`sendMessage(${JSON.stringify(bad)})`, "wrong argument", (cb) => topic().sendMessage(bad, cb)]),
    ["the builder's messages", "", () => [message({}), new KiiPushMessageBuilder().build(), new KiiPushMessageBuilder({}).apnsContentAvailable(0).apnsMutableContent(0).enableMqtt(false).build()]],
    ["unsubscribe", "", (cb) => sub().unsubscribe(topic(), cb)],
    ["unsubscribe, again", "", (cb) => sub().unsubscribe(topic(), cb)],
    ["listTopics of the user", "", (cb) => v.user.listTopics(cb)],
    ["listTopics with a key", "", (cb) => v.user.listTopics(cb, "eA")],
    ["listTopics with a bad key", "", (cb) => v.user.listTopics(cb, "a&b=c")],
    ["listTopics of the app", "", (cb) => Kii.listTopics(cb)],
    ["topic.deleteTopic", "", (cb) => topic().deleteTopic(cb)],
    ["topic.deleteTopic, again", "", (cb) => topic().deleteTopic(cb)],
    ["subscribe: no such topic", "", (cb) => sub().subscribe(topic(), cb)],
    ["unsubscribe: no such topic", "", (cb) => sub().unsubscribe(topic(), cb)],
    ["isSubscribed: no such topic", "", (cb) => sub().isSubscribed(topic(), cb)],
    ["sendMessage: no such topic", "", (cb) => topic().sendMessage(message({ a: 1 }), cb)],
    ["a topic of the app: exists", "", (cb) => Kii.topicWithName("nothing").exists(cb)],
    ["a topic of the app: save", "", (cb) => Kii.topicWithName("nothing").save(cb)],
    ...["a#b", "a?b"].flatMap((name) => [
      [`topic ${JSON.stringify(name)}: save`, "not escaped", (cb) => v.user.topicWithName(name).save(cb)],
      [`topic ${JSON.stringify(name)}: subscribe`, "not escaped", (cb) => sub().subscribe(v.user.topicWithName(name), cb)],
    ]),
    ["topic \"a%b\": deleteTopic", "not escaped", (cb) => v.user.topicWithName("a%b").deleteTopic(cb)],
    ["topic of a user without an id", "missing id", () => KiiUser.userWithUsername("fresh", password).topicWithName("t")],
    ["listTopics of a user without an id", "missing id", (cb) => KiiUser.userWithUsername("fresh", password).listTopics(cb)],
    ["subscription of a user without an id", "missing id", (cb) => KiiUser.userWithUsername("fresh", password).pushSubscription().subscribe(Kii.topicWithName("t"), cb)],
    ...["", null, undefined, 5].map((bad) => [`topicWithName(${JSON.stringify(bad)})`, "", () => v.user.topicWithName(bad)]),
    ...["subscribe", "unsubscribe", "isSubscribed"].flatMap((name) => [undefined, null, {}, "x"].map((bad) =>
      [`${name}(${JSON.stringify(bad)})`, "", (cb) => sub()[name](bad, cb)])),
    ["subscription.getSubscriber", "", () => sub().getSubscriber()],
    ...["subscribe", "isSubscribed", "unsubscribe"].map((name) => [`${name}: a bucket of the user`, "", (cb) => sub()[name](v.user.bucketWithName("notes"), cb)]),
    ...["subscribe", "isSubscribed", "unsubscribe"].map((name) => [`${name}: a bucket of the app`, "", (cb) => sub()[name](Kii.bucketWithName("notes"), cb)]),
    ["unsubscribe: no such subscription to a bucket", "", (cb) => sub().unsubscribe(Kii.bucketWithName("nothing"), cb)],

    // Things.
    ["KiiThing.register", "", (cb) => keep("thing", KiiThing.register({ _vendorThingID: `thing-${n}`, _password: password, _thingType: "lamp", room: "hall" }, cb))],
    ["KiiThing.register: the thing", "", () => [v.thing, v.thing.fields, v.thing.getCreated() instanceof Date, v.thing.getDisabled(), v.thing.isOnline(), v.thing.getOnlineStatusModifiedAt()]],
    ["KiiThing.register: taken", "", (cb) => KiiThing.register({ _vendorThingID: `thing-${n}`, _password: password }, cb)],
    ["KiiThing.register: fields missing", "", (cb) => KiiThing.register({}, cb)],
    ["KiiThing.register: no fields", "wrong argument", (cb) => KiiThing.register(null, cb)],
    ["KiiThing.loadWithThingID, by a user", "", (cb) => KiiThing.loadWithThingID(v.thing.getThingID(), cb)],
    ["KiiThing.loadWithVendorThingID, by a user", "", (cb) => KiiThing.loadWithVendorThingID(`thing-${n}`, cb)],
    ["KiiThing.loadWithThingID(\"\")", "empty argument", (cb) => KiiThing.loadWithThingID("", cb)],
    ["KiiThing.thingWithID(\"\")", "", () => KiiThing.thingWithID("")],
    ["authenticateAsThing", "", (cb) => keep("context", Kii.authenticateAsThing(`thing-${n}`, password, cb))],
    ["authenticateAsThing: the thing", "", () => [v.context.getAuthenticatedThing(), v.context.getAuthenticatedThing().getVendorThingID()]],
    ["authenticateAsThing: wrong password", "", (cb) => Kii.authenticateAsThing(`thing-${n}`, "not the password", cb)],
    ...[["", password], [null, password], [`thing-${n}`, null]].map((args) => [`authenticateAsThing(${JSON.stringify(args)})`, "", (cb) => Kii.authenticateAsThing(...args, cb)]),
    ["authenticateAsThingWithToken", "", (cb) => Kii.authenticateAsThingWithToken(v.thing.getThingID(), v.thing.getAccessToken(), cb)],
    ...[["", "x"], ["x", null]].map((args) => [`authenticateAsThingWithToken(${JSON.stringify(args)})`, "", (cb) => Kii.authenticateAsThingWithToken(...args, cb)]),
    ["thing: refresh", "", (cb) => keep("self", v.context.getAuthenticatedThing().refresh(cb))],
    ["thing: refreshed fields", "", () => v.self.fields],
    ["thing: installMqtt", "", (cb) => keep("installation", v.context.pushInstallation().installMqtt(false, cb))],
    ["thing: getMqttEndpoint", "fetchedAt", (cb) => v.context.pushInstallation().getMqttEndpoint(v.installation.installationID, cb)],
    ["a user, of the thing's installation", "", (cb) => push().uninstallByInstallationID(v.installation.installationID, cb)],
    ["thing: uninstall", "", (cb) => v.context.pushInstallation().uninstall(v.installation.installationRegistrationID, "MQTT", cb)],
    ["thing: topic.save", "", (cb) => v.self.topicWithName("news").save(cb)],
    ["thing: subscribe", "", (cb) => v.self.pushSubscription().subscribe(v.self.topicWithName("news"), cb)],
    ["thing: isSubscribed", "", (cb) => v.self.pushSubscription().isSubscribed(v.self.topicWithName("news"), cb)],
    ["thing: sendMessage", "", (cb) => v.self.topicWithName("news").sendMessage(message({ a: 1 }), cb)],
    ["thing: listTopics", "", (cb) => v.self.listTopics(cb)],
    ["thing: listTopics of the app", "", (cb) => v.context.listTopics(cb)],
    ["thing: subscribe to a bucket", "", (cb) => v.self.pushSubscription().subscribe(v.self.bucketWithName("notes"), cb)],

    // Administrators.
    ["authenticateAsAppAdmin", "", (cb) => keep("admin", Kii.authenticateAsAppAdmin(clientID, clientSecret, cb))],
    ["authenticateAsAppAdmin: wrong secret", "", (cb) => Kii.authenticateAsAppAdmin(clientID, "x", cb)],
    ["authenticateAsAppAdmin: nothing", "empty argument", (cb) => Kii.authenticateAsAppAdmin("", "", cb)],
    ["admin: topic.save", "", (cb) => v.admin.topicWithName(`of-app-${n}`).save(cb)],
    ["admin: listTopics", "", (cb) => v.admin.listTopics(cb)],
    ["admin: a user", "", (cb) => v.admin.userWithID(v.user.getID()).refresh(cb)],
    ["admin: subscribe a user", "", (cb) => v.admin.userWithID(v.user.getID()).pushSubscription().subscribe(v.admin.topicWithName(`of-app-${n}`), cb)],
    ["admin: a thing", "", (cb) => v.admin.thingWithID(v.thing.getThingID()).refresh(cb)],
    ["admin: loadThingWithThingID", "", (cb) => v.admin.loadThingWithThingID(v.thing.getThingID(), cb)],
    ["admin: loadThingWithVendorThingID", "", (cb) => v.admin.loadThingWithVendorThingID(`thing-${n}`, cb)],
    ["admin: a thing that is not there", "", (cb) => v.admin.loadThingWithThingID("nothing", cb)],
    ["admin: a thing of a maker that is not there", "", (cb) => v.admin.loadThingWithVendorThingID("nothing", cb)],
    ["admin: sendMessage", "", (cb) => v.admin.topicWithName(`of-app-${n}`).sendMessage(message({ a: 1 }), cb)],
    ["user: isSubscribed to the app's topic", "", (cb) => sub().isSubscribed(Kii.topicWithName(`of-app-${n}`), cb)],
    ["user: sendMessage to the app's topic", "", (cb) => Kii.topicWithName(`of-app-${n}`).sendMessage(message({ a: 1 }), cb)],

    // Answers that no API gives: "<" is the page of a network that wants to be logged in to.
    ...answers(canned, [400, { errorCode: "E", message: "M" }], ""),
    ...answers(canned, [400, { errorCode: "E" }], ""),
    ...answers(canned, [400, { message: "M" }], ""),
    ...answers(canned, [500, {}], ""),
    ...answers(canned, [502, "<"], ""),
    ...answers(canned, [400, ""], ""),
    ...answers(canned, [400, { errorCode: "E", message: "100%" }], "percent", "install endpoint uninstall save send subscribe list thing asThing"),
    ...answers(canned, [200, { installationID: "i", installationRegistrationID: "100%" }], "percent in a success", "install"),
    ...answers(canned, [200, { topics: [], more: "100%" }], "", "list"),
    ...answers(canned, [200, { _thingID: "th", motto: "100%" }], "percent in a success", "thing"),
    ...answers(canned, [200, "<"], "not JSON", "install endpoint list auth thing asThing"),
    ...answers(canned, [200, "<"], "foreign success", "save send subscribe refresh"),
    ...answers(canned, [200, {}], "not JSON", "list"),
    ...answers(canned, [200, {}], "bad answer", "install endpoint thing auth token pseudo"), // Kii's SDK is then without a user
    ...["0 : http://a/b", "install push failed. statusCode: 0", "subscribe failed. statusCode: 404 error code: TOPIC_NOT_FOUND message: m", "USER_NOT_FOUND: m", "invalid_grant: m n",
      "nothing in it", "", "failed to update user. statusCode: 409 error code: USER_ALREADY_EXISTS error message: m", "WEIRD: m", "InvalidArgument: m", "400 : http://a/b"].map((text) =>
      [`KiiErrorParser.parse(${JSON.stringify(text)})`, "", () => [KiiErrorParser.parse(text), KiiErrorParser.parse(new Error(text))]]),
    ...["install push failed. statusCode: 500", "load thing failed. statusCode: 404 message: m", "load thing failed. statusCode: 404 error code: E"].map((text) =>
      [`KiiErrorParser.parse(${JSON.stringify(text)})`, "half a text", () => KiiErrorParser.parse(text)]),
    ["the cloud again", "", () => canned(null)],
    ["logOut", "", () => (Kii.logOut(), [KiiUser.getCurrentUser(), Kii.loggedIn()])],
  ];

  function answers(canned, [status, body], deviation, names) {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    const calls = {
      install: (cb) => push().installMqtt(true, cb),
      endpoint: (cb) => push().getMqttEndpoint("x", cb),
      uninstall: (cb) => push().uninstallByInstallationID("x", cb),
      save: (cb) => topic().save(cb),
      exists: (cb) => topic().exists(cb),
      send: (cb) => topic().sendMessage(message({ a: 1 }), cb),
      subscribe: (cb) => sub().subscribe(topic(), cb),
      isSubscribed: (cb) => sub().isSubscribed(topic(), cb),
      list: (cb) => v.user.listTopics(cb),
      refresh: (cb) => v.user.refresh(cb),
      auth: (cb) => KiiUser.authenticate("someone", password, cb),
      token: (cb) => KiiUser.authenticateWithToken("token", cb),
      register: (cb) => KiiUser.userWithUsername("someone", password).register(cb),
      pseudo: (cb) => KiiUser.registerAsPseudoUser(cb),
      thing: (cb) => KiiThing.loadWithThingID("x", cb),
      asThing: (cb) => Kii.authenticateAsThing("x", password, cb),
      admin: (cb) => Kii.authenticateAsAppAdmin("a", "b", cb),
    };
    return (names?.split(" ") ?? Object.keys(calls)).map((name) =>
      [`${name}: ${status} ${text}`, deviation, async (cb) => (await canned(status, text), calls[name](cb))]);
  }
  return steps;
};

/** Runs one step, and tells what it came to. */
globalThis.runStep = async (step, style) => {
  const told = [];
  const cb = style !== "callback" ? undefined : {
    success: (...args) => told.push({ success: args.map(describe) }),
    failure: (...args) => told.push({ failure: args.map(describe) }),
  };
  const stuck = new Promise((resolve) => {
    addEventListener("error", (event) => (event.preventDefault(), resolve({ never: event.message })), { once: true });
  });
  let value;
  try {
    const result = step[2](cb);
    value = result instanceof Promise ? { value: describe(await Promise.race([result, stuck])) } : { returned: describe(result) };
  } catch (error) {
    value = { error: describe(error) };
  }
  return { callbacks: told, ...value };
};

/** The same words for the same thing, whichever library it is from. */
function describe(value) {
  if (value === undefined) return "undefined";
  if (value === null || typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "number") return Object.is(value, NaN) ? "NaN" : value;
  if (value === Kii) return "Kii";
  if (value instanceof KiiUser) return `KiiUser ${value.getID()} ${value.getUsername()}`;
  if (value instanceof KiiThing) return `KiiThing ${value.getThingID()} ${value.getVendorThingID()}`;
  if (value instanceof KiiTopic) return `KiiTopic ${value.getName()}`;
  if (value instanceof KiiBucket) return `KiiBucket ${value.getBucketName()}`;
  for (const [name, made] of Object.entries({ KiiPushInstallation, KiiPushSubscription, KiiThingContext, KiiAppAdminContext })) {
    if (value instanceof made) return name;
  }
  if (value instanceof Date) return `a Date, ${Math.abs(value.getTime() - Date.now() - 30 * 864e5) < 864e5 ? "in a month" : value.getTime()}`;
  if (value instanceof Response) return "a Response";
  if (value instanceof Error) return value.target !== undefined ? { message: value.message, target: describe(value.target) } : { message: value.message };
  if (typeof value.message === "string" && Object.keys(value).length === 1) return { message: value.message }; // what Kii's SDK throws is no Error
  if (typeof value.length === "number") return Array.from(value, describe); // also its arguments
  return Object.fromEntries(Object.entries(value).flatMap(([key, member]) => (member === undefined ? [] : [[key, describe(member)]])));
}
