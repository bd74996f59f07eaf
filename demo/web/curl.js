// The same message as a command for a terminal.

const TYPE = "application/vnd.kii.SendPushMessageRequest+json";

/** Quotes a word for a POSIX shell: within '…' nothing is special but ' itself. */
export function quote(word) {
  return `'${String(word).replaceAll("'", `'\\''`)}'`;
}

/**
 * The command that sends data to the user whom the token belongs to.
 * ca: path of the certificate to trust for https; without it, an https command uses -k.
 */
export function curlCommand({ baseURL, appID, appKey, token, data, ca }) {
  const secure = baseURL.startsWith("https:");
  const trust = !secure ? "" : ca ? ` --cacert ${quote(ca)}` : " -k";
  const body = JSON.stringify({ data, mqtt: { enabled: true } });
  return [
    `curl -sS${trust} -X POST ${quote(`${baseURL}/apps/${encodeURIComponent(appID)}/users/me/push/messages`)}`,
    `-H ${quote(`X-Kii-AppID: ${appID}`)}`,
    `-H ${quote(`X-Kii-AppKey: ${appKey}`)}`,
    `-H ${quote(`Authorization: Bearer ${token}`)}`,
    `-H ${quote(`Content-Type: ${TYPE}`)}`,
    `--data-raw ${quote(body)}`,
  ].join(" \\\n  ");
}

/** What to know about the certificate before running the command; "" for http. */
export function curlNote({ baseURL, ca }) {
  if (!baseURL.startsWith("https:")) return "";
  if (ca) return "The --cacert option makes curl trust this cloud's own certificate authority.";
  return "The -k option skips the certificate check, because this cloud signs its own. Leave it out for a certificate that your system trusts.";
}
