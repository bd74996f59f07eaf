// Who takes part in the tests. Each has an SDK of its own, with its own current user.

import { after } from "node:test";
import { type Ready, clouds, unique } from "./cloud.js";
import { countedSdk } from "./calls.js";
import { type Wire, checkResponses, openWire } from "./wire.js";

export const password = "a long enough password";

/** Opens a relay to a cloud for all tests of a file. */
export async function wireFor(cloud: Ready = clouds.main): Promise<Wire> {
  const wire = await openWire(cloud.api);
  after(() => wire.close());
  after(() => checkResponses(wire.log, newSdk(wire.site)));
  return wire;
}

/** An SDK that speaks to the cloud, with nobody logged in. */
export function newSdk(site: string, cloud: Ready = clouds.main): Sdk {
  const sdk = countedSdk();
  sdk.Kii.initializeWithSite(cloud.appID, cloud.appKey, site);
  return sdk;
}

/** A registered user, who is the SDK's current one. */
export interface Person {
  sdk: Sdk;
  user: KiiCloud.KiiUser;
  name: string;
}

export async function newPerson(site: string): Promise<Person> {
  const sdk = newSdk(site);
  const name = unique("user");
  const user = await sdk.KiiUser.userWithUsername(name, password).register();
  return { sdk, user, name };
}

/** A registered thing that is logged in. */
export interface Device {
  sdk: Sdk;
  context: KiiCloud.KiiThingContext;
  thing: KiiCloud.KiiThing;
  vendorThingID: string;
}

export async function newDevice(site: string): Promise<Device> {
  const sdk = newSdk(site);
  const vendorThingID = unique("thing");
  await sdk.KiiThing.register({ _vendorThingID: vendorThingID, _password: password });
  const context = await sdk.Kii.authenticateAsThing(vendorThingID, password);
  return { sdk, context, thing: context.getAuthenticatedThing(), vendorThingID };
}

/** An administrator. */
export interface Admin {
  sdk: Sdk;
  context: KiiCloud.KiiAppAdminContext;
}

export async function newAdmin(site: string, cloud: Ready = clouds.main): Promise<Admin> {
  const sdk = newSdk(site, cloud);
  return { sdk, context: await sdk.Kii.authenticateAsAppAdmin(cloud.clientID, cloud.clientSecret) };
}
