import { load } from "kiiweb";

const cloud = { appID: "demo", appKey: "demo-key", baseURL: import.meta.env.VITE_KII_URL ?? "http://localhost:8080/api" };
const $ = (id) => document.getElementById(id);

/** The client of whoever is logged in. */
let kii;

$("account").addEventListener("submit", async (event) => {
  event.preventDefault();
  const { name, password } = Object.fromEntries(new FormData(event.target));
  try {
    await stop();
    kii = await load(cloud);
    await kii[event.submitter?.value ?? "login"](name, password); // login or register
    await connect();
  } catch (error) {
    show(error);
  }
});

async function connect() {
  const { installationID } = await kii.installMqtt(false);
  const connection = await kii.connect(await kii.getMqttEndpoint(installationID));
  connection.on("state", ({ state, reason }) => ($("state").value = reason ? `${state}: ${reason}` : state));
  connection.on("message", (message) => {
    const item = document.createElement("li");
    item.textContent = message.json().text;
    $("messages").append(item);
  });
  $("state").value = connection.state;
  $("send").disabled = $("stop").disabled = false;
}

/** Ends the connection and all else that the client runs. The installation stays: what is sent meanwhile comes with the next login. */
async function stop() {
  $("send").disabled = $("stop").disabled = true;
  await kii?.dispose();
}

$("send").addEventListener("click", () => kii.sendToMe({ data: { text: `hello at ${new Date().toLocaleTimeString()}` } }).catch(show));
$("stop").addEventListener("click", () => stop().catch(show));

/** A KiiError says what to do about it. */
function show(error) {
  $("state").value = `${error.code}: ${error.message} ${error.remedy ?? ""}`;
}
