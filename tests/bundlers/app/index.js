// The app that every project builds. What it is to do stands in the address, as JSON
// behind "#"; the title says how far it has come.
import { load } from "kiiweb";

const { options, name, password } = JSON.parse(decodeURIComponent(location.hash.slice(1)));
const kii = await load(options);
await kii.login(name, password);
const { installationID } = await kii.installMqtt(false);
const connection = await kii.connect(await kii.getMqttEndpoint(installationID));
globalThis.got = [];
connection.on("message", (m) => got.push(m.json().text));
globalThis.ran = { host: kii.host, reason: kii.hostReason?.message };
