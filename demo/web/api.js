// The one place that knows the library: everything else in the page asks here.

import { describe } from "./dom.js";

const LIBRARY = "/kiiweb/kiiweb.mjs";

/** An error in the shape of the library's own. */
export function fault(code, message, remedy) {
  return Object.assign(new Error(message), { code, remedy });
}

/** Tells an error of the library by its code. */
export function hasCode(error, ...codes) {
  return codes.includes(error?.code);
}

/** Tells an error after which only another login helps. */
export const loginEnded = (error) => hasCode(error, "UNAUTHORIZED", "NOT_LOGGED_IN");

/** What the server says about itself: { appID, appKey, baseURL (absolute), ca?, notice? }. */
export async function cloud() {
  const response = await fetch("/demo.json");
  if (!response.ok) throw fault("SETUP", "The demo server did not describe itself.", "Look at the output of `go run ./demo`.");
  const facts = await response.json();
  return { ...facts, baseURL: new URL(facts.baseURL, location.href).href.replace(/\/$/, "") };
}

/** Loads the library and sets it up for the cloud. */
export async function library({ appID, appKey, baseURL }) {
  const { load } = await import(LIBRARY).catch(async (error) => {
    throw await whyNot(error);
  });
  return load({ appID, appKey, baseURL });
}

// A browser says only that an import failed; the server says why.
async function whyNot(error) {
  const response = await fetch(LIBRARY).catch(() => null);
  if (response && !response.ok) return fault("SETUP", await response.text(), "");
  return fault("SETUP", `The library did not load: ${describe(error).message}`, "Run `make build`, then reload the page.");
}

/** The id that the cloud gave a push, which MQTT 5 carries along; "" where it is not known. */
export function pushMessageIDOf(message) {
  const pair = message.properties.userProperties?.find(([name]) => name === "pushMessageID");
  return pair ? pair[1] : "";
}
