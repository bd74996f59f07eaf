// The library's client, for tests.

import { Client } from "../src/client.js";
import * as push from "../src/pushentry.js";

export function newClient(host: ConstructorParameters<typeof Client>[0]): Client {
  return new Client(host, async () => push);
}
