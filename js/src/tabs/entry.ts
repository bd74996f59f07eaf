// Entry of tabs.mjs, which the loader imports where tabs may share.

import { unsupported } from "../errors.js";
import type { Config } from "../options.js";
import type { Client } from "./owner.js";
import { browser } from "./surroundings.js";
import { Tabs } from "./tabs.js";

export { build } from "../build.js";

/** Lets a client take part in what the tabs of this browser share. */
export function share(config: Config, client: Client): Tabs {
  const around = browser();
  if (!around) throw unsupported("Web Locks and BroadcastChannel");
  return new Tabs(config, client, around);
}
