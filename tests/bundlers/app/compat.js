// As index.js, for an app that was written for Kii's own SDK.
import { attach, Kii, KiiUser } from "kiiweb/compat";

const { options, name, password } = JSON.parse(decodeURIComponent(location.hash.slice(1)));
const { host } = options;
Kii.initializeWithSite(options.appID, options.appKey, options.baseURL, { host });
const user = await KiiUser.authenticate(name, password);
const installation = user.pushInstallation();
const { installationID } = await installation.installMqtt(false);
const endpoint = await installation.getMqttEndpoint(installationID);
const kii = await attach(user, { host });
const connection = await kii.connect(endpoint);
globalThis.got = [];
connection.on("message", (m) => got.push(m.json().text));
globalThis.ran = { host: kii.host, reason: kii.hostReason?.message };
