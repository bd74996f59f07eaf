// The page: a user, and beside the user a thing that was made of the same markup.

import { $, place, showError, twin } from "./dom.js";
import { cloud, fault, library } from "./api.js";
import { curlFor } from "./curl.js";
import { THING, USER } from "./kinds.js";
import { member } from "./member.js";
import { watchLoad } from "./metrics.js";
import { adminCommands } from "./topics.js";

async function main() {
  const facts = await cloud();
  if (facts.metrics) watchLoad($);
  if (facts.notice) throw fault("SETUP", facts.notice, "");
  // Before anything is wired or filled in: a copy has neither listeners nor values.
  $("thing-login-view").append(twin($("login-form"), "thing-"));
  $("thing-app-view").append(twin($("cards"), "thing-"));

  const thing = member(place("thing-"), { kii: await library(facts), facts, kind: THING });
  const user = member($, {
    kii: await library(facts),
    facts,
    kind: USER,
    left: () => (thing.loggedIn() ? thing.leave() : null),
  });
  adminCommands($, facts, curlFor(facts));
  await Promise.all([user.resume(), thing.resume()]);
}

main().catch((error) => {
  console.error(error);
  showError($("banner"), error);
});
