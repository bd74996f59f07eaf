// Runs aedes: node aedes.mjs TCP-PORT WEBSOCKET-PORT, with the one account that may
// connect in MQTT_USERNAME and MQTT_PASSWORD. SIGTERM ends it.
import { createServer as createHTTP } from "node:http";
import { createServer as createTCP } from "node:net";
import { Aedes } from "aedes";
import { createWebSocketStream, WebSocketServer } from "ws";

const [tcpPort, wsPort] = process.argv.slice(2).map(Number);
const { MQTT_USERNAME: username, MQTT_PASSWORD: password } = process.env;

const aedes = await Aedes.createBroker();
aedes.authenticate = (client, name, secret, done) => {
  if (name === username && secret?.toString() === password) return done(null, true);
  done(Object.assign(new Error("bad user name or password"), { returnCode: 4 }), false);
};

createTCP(aedes.handle).listen(tcpPort, "127.0.0.1");

const http = createHTTP();
const choose = (offered) => ["mqtt", "mqttv3.1"].find((name) => offered.has(name)) ?? false;
new WebSocketServer({ server: http, path: "/mqtt", handleProtocols: choose }).on("connection", (socket, request) => {
  aedes.handle(createWebSocketStream(socket), request);
});
http.listen(wsPort, "127.0.0.1");

process.on("SIGTERM", () => process.exit(0));
