// What a tab remembers over a reload: who is logged in, and whether push was started.
//
// It is kept per tab (sessionStorage), so that two tabs can be two people. A browser that
// refuses storage costs the memory and nothing else.

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

/** The memory of one login under a key of its own. */
export function memory(key) {
  /** The session of this tab: { name, token, userID or thingID, expiresAt, push } or null. */
  function session() {
    const kept = read(storage("sessionStorage"), key);
    const over = typeof kept?.expiresAt === "number" && kept.expiresAt <= Date.now();
    const whole = ["name", "token"].every((field) => typeof kept?.[field] === "string") && (kept.userID || kept.thingID);
    return whole && !over ? kept : null;
  }
  const keepSession = (value) => write(storage("sessionStorage"), key, value);
  return {
    session,
    keepSession,
    /** Notes whether push is to start by itself after a reload. */
    keepPush(started) {
      const kept = session();
      if (kept) keepSession({ ...kept, push: started });
    },
    /** The name that was used last in this browser, offered at the next log in. */
    lastName: () => read(storage("localStorage"), `${key}-name`) ?? "",
    keepName: (name) => write(storage("localStorage"), `${key}-name`, name),
  };
}
