import type { Installation, MqttEndpoint } from "../../types/index.js";
import { byCurrentUser, type Access } from "./access.js";
import { callAs } from "./call.js";
import { deliver, type Callbacks } from "./callbacks.js";
import { failed, mistake } from "./errors.js";

const noInstallationID = "installationID must not be null or empty.";
const noRegistrationID = "installationRegistrationID must not be null or empty.";

/** Push of one user or thing over MQTT: from here on the module's own functions do the work. */
export class KiiPushInstallation {
  private readonly access: Access;

  constructor(access?: unknown) {
    this.access = typeof access === "function" ? (access as Access) : byCurrentUser;
  }

  installMqtt(development: boolean, callbacks?: Callbacks): Promise<Installation> {
    const wrong = typeof development === "boolean" ? null : "type of development must be boolean.";
    return this.call(wrong, "install push", "installMqtt", [development], callbacks, (installation) => [installation]);
  }

  getMqttEndpoint(installationID: string, callbacks?: Callbacks): Promise<MqttEndpoint> {
    const wrong = isText(installationID) ? null : noInstallationID;
    return this.call(wrong, "get mqtt endpoint", "getMqttEndpoint", [installationID], callbacks, (endpoint) => [endpoint]);
  }

  uninstall(installationRegistrationID: string, deviceType: string, callbacks?: Callbacks): Promise<void> {
    let wrong = null;
    if (!isText(installationRegistrationID)) wrong = noRegistrationID;
    else if (deviceType !== "MQTT") wrong = `Unsupported deviceType ${String(deviceType)}`;
    return this.call(wrong, "uninstall push", "uninstall", [installationRegistrationID, deviceType], callbacks, () => []);
  }

  uninstallByInstallationID(installationID: string, callbacks?: Callbacks): Promise<void> {
    const wrong = isText(installationID) ? null : noInstallationID;
    return this.call(wrong, "uninstall push", "uninstallByInstallationID", [installationID], callbacks, () => []);
  }

  private call<T>(
    wrong: string | null,
    action: string,
    method: string,
    args: [unknown, unknown?],
    callbacks: Callbacks,
    success: (value: T) => unknown[],
  ): Promise<T> {
    const work = async () => {
      if (wrong !== null) throw mistake(wrong, this);
      try {
        return (await callAs(this.access, method, ...args)) as T;
      } catch (error) {
        throw failed(action, error as Error, this);
      }
    };
    return deliver(work, callbacks, success);
  }
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}
