/** What an error's text says. status is -1 where it says nothing, -2 where its code is not known. */
export interface ParsedError {
  status: number;
  code: string | null;
  message: string;
}

/** The statuses of error codes that stand without one in the texts of users' calls. */
const statuses: Record<string, number> = {
  invalid_grant: 400,
  INVALID_INPUT_DATA: 400,
  INVALID_BUCKET: 400,
  UNAUTHORIZED: 401,
  WRONG_PASSWORD: 401,
  WRONG_TOKEN: 403,
  APP_NOT_FOUND: 404,
  BUCKET_NOT_FOUND: 404,
  FILTER_NOT_FOUND: 404,
  INSTALLATION_NOT_FOUND: 404,
  MQTT_ENDPOINT_NOT_FOUND: 404,
  OBJECT_NOT_FOUND: 404,
  PUSH_SUBSCRIPTION_NOT_FOUND: 404,
  THING_NOT_FOUND: 404,
  TOPIC_NOT_FOUND: 404,
  USER_NOT_FOUND: 404,
  PUSH_SUBSCRIPTION_ALREADY_EXISTS: 409,
  THING_ALREADY_EXISTS: 409,
  TOPIC_ALREADY_EXISTS: 409,
  USER_ALREADY_EXISTS: 409,
  MQTT_ENDPOINT_NOT_READY: 503,
};

/** Takes apart the texts of errors. */
export class KiiErrorParser {
  static parse(error: Error | string | null | undefined): ParsedError | null {
    const text: unknown = typeof error === "string" ? error : error?.message;
    if (typeof text !== "string" || text === "") return null;
    if (/^0 : /.test(text) || /statusCode: 0$/.test(text)) return { status: 0, code: null, message: "Network Error" };
    let found = /statusCode: (\d+) error code: (\S+) (?:error )?message: ([^]*)$/.exec(text);
    if (found) return { status: Number(found[1]), code: found[2]!, message: found[3]! };
    found = /statusCode: (\d+)(?: error code: (\S+))?(?: (?:error )?message: ([^]*))?$/.exec(text);
    if (found) return { status: Number(found[1]), code: found[2] ?? null, message: found[3] ?? text };
    found = /^([A-Z][A-Z_]+|invalid_grant): ([^]*)$/.exec(text);
    if (found) return { status: statuses[found[1]!] ?? -2, code: found[1]!, message: found[2]! };
    return { status: -1, code: null, message: text };
  }
}
