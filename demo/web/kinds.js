// The two kinds of owners that push goes to, and what is different about them.

import { suggestName, suggestThing } from "./suggest.js";

const SUGGESTED = "A suggestion that you may change. Keep it if you want to log in again later.";

/** Somebody with a login name. */
export const USER = {
  key: "kiiweb-demo", // what the tab remembers them by
  nameLabel: "Login name",
  autocomplete: "username",
  suggestName,
  modes: {
    register: { submit: "Create account", busy: "Creating…", hint: SUGGESTED, autocomplete: "new-password" },
    login: { submit: "Log in", busy: "Logging in…", hint: "", autocomplete: "current-password" },
  },
  words: { self: "Yourself", hello: "Hello, browser!", leftElsewhere: "You have logged out in another tab." },
  register: (kii, name, password) => kii.register(name, password),
  logIn: (kii, name, password) => kii.login(name, password),
  curl: (curl) => ({ register: curl.register, login: curl.logIn }),
  owner: ({ userID }) => ({ userID }),
  /** How topics and paths name the one who is logged in. */
  scope: ({ userID }) => ({ scope: "users/me", topics: { userID: "me" }, subscriber: `users/${userID}` }),
};

/** A device with its vendor's id. Its password is no person's: browsers are not to keep it. */
export const THING = {
  key: "kiiweb-demo-thing",
  nameLabel: "Vendor thing ID",
  autocomplete: "off",
  suggestName: suggestThing,
  modes: {
    register: { submit: "Register", busy: "Registering…", hint: SUGGESTED, autocomplete: "off" },
    login: { submit: "Log in", busy: "Logging in…", hint: "", autocomplete: "off" },
  },
  words: { self: "The thing itself", hello: "Hello, thing!", leftElsewhere: "The thing was logged out in another tab." },
  titles: {
    "push-title": "The thing's push",
    "send-title": "Send as the thing",
    "messages-title-text": "The thing's messages",
    "topics-title": "The thing's topics",
  },
  register: (kii, name, password) => kii.registerThing(name, password),
  logIn: (kii, name, password) => kii.loginAsThing(name, password),
  curl: (curl) => ({ register: curl.registerThing, login: (name, password) => curl.logIn(`VENDOR_THING_ID:${name}`, password) }),
  owner: ({ thingID }) => ({ thingID }),
  scope: ({ thingID }) => ({ scope: `things/${thingID}`, topics: { thingID }, subscriber: `things/${thingID}` }),
};
