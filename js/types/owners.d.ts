// Who is logged in, and what the cloud has for them.

/** A user or a thing, by its id. */
export type Owner = { userID: string; thingID?: undefined } | { thingID: string; userID?: undefined };

/** A successful login. Give it back as `useToken(login.token, login)`. */
export type Login = Owner & {
  /** Access token; a secret. */
  token: string;
  /** When the token ends, in milliseconds since 1970, where the server said so. */
  expiresAt?: number;
};

/** The registration of an owner for push. An owner has one, whose ids stay. */
export interface Installation {
  /** For `getMqttEndpoint` and `uninstallByInstallationID`. */
  installationID: string;
  /** For `uninstall`. */
  installationRegistrationID: string;
}

/** Where and how the owner of an installation connects to the broker. */
export interface MqttEndpoint {
  installationID: string;
  username: string;
  /** A secret. */
  password: string;
  /** Client identifier and topic in one. */
  mqttTopic: string;
  host: string;
  /** A port is absent where the server has none. */
  portTCP?: number;
  portSSL?: number;
  portWS?: number;
  portWSS?: number;
  /** Seconds for which the endpoint is good, counted from `fetchedAt`; 0 or absent means for ever. */
  "X-MQTT-TTL"?: number;
  /** When the endpoint was fetched, in milliseconds since 1970. */
  fetchedAt?: number;
}
