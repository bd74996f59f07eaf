// Entry of tabs.mjs, which the loader imports where tabs may share.

import type { Login } from "../../types/index.js";
import { KiiError, unsupported } from "../errors.js";
import type { Config } from "../options.js";
import type { Client } from "./owner.js";
import { browser } from "./surroundings.js";
import { Tabs } from "./tabs.js";

export { build } from "../build.js";

const meanwhile = "each tab connects by itself meanwhile.";

/** Lets a client take part in what the tabs of this browser share, for who has logged in. The error is UNSUPPORTED. */
export function share(config: Config, client: Client, login: Login): Tabs {
  const around = browser(config.tap?.channel);
  if (typeof around === "string") throw unsupported(around, `Use a browser that has it, over https or on this machine; ${meanwhile}`);
  const tabs = new Tabs(config, client, around);
  try {
    tabs.entered(login);
  } catch (cause) {
    throw new KiiError("This place does not let tabs meet.", {
      code: "UNSUPPORTED",
      retryable: false,
      remedy: `Let a frame's sandbox attribute have allow-same-origin; ${meanwhile}`,
      cause,
    });
  }
  return tabs;
}
