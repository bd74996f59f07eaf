// What the page does, as commands for a terminal. They are whole: pasted into a POSIX
// shell they run as they stand.

const kii = (name) => `application/vnd.kii.${name}+json`;

/** Quotes a word for a POSIX shell: within '…' nothing is special but ' itself. */
export function quote(word) {
  return `'${String(word).replaceAll("'", `'\\''`)}'`;
}

/** A word in which the shell fills in its variables; the rest of it must be plain. */
function expanded(word) {
  return `"${word.replaceAll('"', '\\"')}"`;
}

/** The variable in which the administrator's commands keep the token. */
const ADMIN = { variable: "ADMIN_TOKEN" };

/**
 * The commands for one cloud. facts: { baseURL, appID, appKey, ca? }; ca is the path of the
 * certificate to trust for https, and without it an https command uses -k. A scope is what
 * topics lie under: "" for the app, or "users/me", or "things/" and the id.
 */
export function curlFor(facts) {
  const command = (...request) => curl(facts, ...request);
  const app = `/apps/${encodeURIComponent(facts.appID)}`;
  const under = (scope) => (scope ? `${app}/${scope}` : app);
  const topic = (scope, name) => `${under(scope)}/topics/${encodeURIComponent(name)}`;
  const subscription = (scope, name, subscriber) => `${topic(scope, name)}/push/subscriptions/${subscriber}`;
  const push = (path, token, message) =>
    command("POST", `${path}/push/messages`, { token, type: kii("SendPushMessageRequest"), body: { ...message, mqtt: { enabled: true } } });
  const logIn = (body) => command("POST", "/oauth2/token", { type: "application/json", body });

  return {
    register: (loginName, password) =>
      command("POST", `${app}/users`, { type: kii("RegistrationRequest"), body: { loginName, password } }),
    logIn: (username, password) => logIn({ username, password }),
    registerThing: (vendorThingID, password) =>
      command("POST", `${app}/things`, {
        type: kii("ThingRegistrationAndAuthorizationRequest"),
        body: { _vendorThingID: vendorThingID, _password: password },
      }),

    install: (token, development) =>
      command("POST", `${app}/installations`, { token, type: kii("InstallationCreationRequest"), body: { deviceType: "MQTT", development } }),
    endpoint: (token, installationID) => command("GET", `${app}/installations/${encodeURIComponent(installationID)}/mqtt-endpoint`, { token }),
    uninstall: (token, registrationID) => command("DELETE", `${app}/installations/MQTT:${encodeURIComponent(registrationID)}`, { token }),

    send: (token, to, message) => push(under(to), token, message),
    sendToTopic: (token, scope, name, message) => push(topic(scope, name), token, message),
    createTopic: (token, scope, name) => command("PUT", topic(scope, name), { token }),
    deleteTopic: (token, scope, name) => command("DELETE", topic(scope, name), { token }),
    listTopics: (token, scope) => command("GET", `${under(scope)}/topics`, { token }),
    subscribe: (token, scope, name, subscriber) => command("PUT", subscription(scope, name, subscriber), { token }),
    unsubscribe: (token, scope, name, subscriber) => command("DELETE", subscription(scope, name, subscriber), { token }),

    /** Logs the administrator in whose id and secret the shell knows, and keeps the token there. */
    adminLogIn: () => {
      const body = { client_id: "${CLIENT_ID:?is not set}", client_secret: "${CLIENT_SECRET:?is not set}" };
      const asking = command("POST", "/oauth2/token", { type: "application/json", body, expand: true });
      return `${ADMIN.variable}=$(${asking} |\n  sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/')`;
    },
    adminCreateTopic: (name) => command("PUT", topic("", name), { token: ADMIN }),
    adminSendToTopic: (name, message) => push(topic("", name), ADMIN, message),
  };
}

// One request as a command. token is a text or { variable }; expand lets the shell fill
// variables into the body. Where success has no body, the command prints the status.
function curl({ baseURL, appID, appKey, ca }, method, path, { token, type, body, expand }) {
  const trust = !baseURL.startsWith("https:") ? "" : ca ? ` --cacert ${quote(ca)}` : " -k";
  const verb = method === "GET" ? "" : ` -X ${method}`;
  const status = method === "PUT" || method === "DELETE" ? ` -w ${quote("%{http_code}\\n")}` : "";
  const lines = [
    `curl -sS${trust}${status}${verb} ${quote(baseURL + path)}`,
    `-H ${quote(`X-Kii-AppID: ${appID}`)}`,
    `-H ${quote(`X-Kii-AppKey: ${appKey}`)}`,
  ];
  if (token?.variable) lines.push(`-H ${expanded(`Authorization: Bearer $${token.variable}`)}`);
  else if (token !== undefined) lines.push(`-H ${quote(`Authorization: Bearer ${token}`)}`);
  if (type) lines.push(`-H ${quote(`Content-Type: ${type}`)}`);
  if (body) lines.push(`--data-raw ${(expand ? expanded : quote)(JSON.stringify(body))}`);
  return lines.join(" \\\n  ");
}

/** What to know about the certificate before running a command; "" for http. */
export function curlNote({ baseURL, ca }) {
  if (!baseURL.startsWith("https:")) return "";
  if (ca) return "The --cacert option makes curl trust this cloud's own certificate authority.";
  return "The -k option skips the certificate check, because this cloud signs its own. Leave it out for a certificate that your system trusts.";
}
