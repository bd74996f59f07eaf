// kiiweb as it is when nothing else is said.

globalThis.fight = async ({ endpoint, port, version }) => {
  const got = [];
  const { load } = await import("/kiiweb/kiiweb.mjs");
  const kii = await load({ appID: "demo", appKey: "demo-key", baseURL: `${location.origin}/api` });
  const connection = await kii.connect({ ...endpoint, portWS: port, portWSS: undefined }, { protocol: version });
  connection.on("message", (m) => got.push(m.json().text));
  globalThis.fighter = { got, state: () => connection.state };
};
