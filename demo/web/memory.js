// What a tab remembers over a reload: who is logged in, and whether push was started.
//
// It is kept per tab (sessionStorage), so that two tabs can be two people. A browser that
// refuses storage costs the memory and nothing else.

const KEY = "kiiweb-demo";

function storage(kind) {
  try {
    return window[kind];
  } catch {
    return null; // storage is switched off: reading the property throws
  }
}

function read(store, key) {
  try {
    return JSON.parse(store?.getItem(key) ?? "null");
  } catch {
    return null;
  }
}

function write(store, key, value) {
  try {
    if (value === null) store?.removeItem(key);
    else store?.setItem(key, JSON.stringify(value));
  } catch {
    // Full, or refused: the next load starts from the beginning.
  }
}

/** The session of this tab: { loginName, userID, token, expiresAt, push } or null. */
export function session() {
  const kept = read(storage("sessionStorage"), KEY);
  const over = typeof kept?.expiresAt === "number" && kept.expiresAt <= Date.now();
  return kept && typeof kept.token === "string" && typeof kept.userID === "string" && !over ? kept : null;
}

export function keepSession(value) {
  write(storage("sessionStorage"), KEY, value);
}

/** Notes whether push is to start by itself after a reload. */
export function keepPush(started) {
  const kept = session();
  if (kept) keepSession({ ...kept, push: started });
}

/** The name that was used last in this browser, offered at the next log in. */
export function lastName() {
  return read(storage("localStorage"), `${KEY}-name`) ?? "";
}

export function keepName(name) {
  write(storage("localStorage"), `${KEY}-name`, name);
}
