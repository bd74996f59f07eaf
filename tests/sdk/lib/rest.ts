// What Kii's REST API can do and its JavaScript SDK cannot: push to one user or thing
// directly, and install for somebody else.

import { strict as assert } from "node:assert";
import { type Ready, clouds } from "./cloud.js";

/** Makes one call that has to succeed; gives the JSON that came back. */
export async function rest(token: string, path: string, type: string, body: unknown, cloud: Ready = clouds.main): Promise<any> {
  const response = await fetch(`${cloud.api}/apps/${cloud.appID}${path}`, {
    method: "POST",
    headers: {
      "X-Kii-AppID": cloud.appID,
      "X-Kii-AppKey": cloud.appKey,
      Authorization: `Bearer ${token}`,
      "Content-Type": `application/vnd.kii.${type}+json`,
    },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  assert.equal(response.status, 201, text);
  return JSON.parse(text);
}

/** Sends a message, as KiiPushMessageBuilder built it, to "/users/…" or "/things/…". */
export async function pushDirectly(token: string, to: string, message: unknown): Promise<string> {
  const { pushMessageID } = await rest(token, `${to}/push/messages`, "SendPushMessageRequest", message);
  assert.ok(pushMessageID);
  return pushMessageID;
}
