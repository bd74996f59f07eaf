// How long messages take from their sending to their arrival in the same page.

const MOST = 50; // messages that are waited for, and as many that came before their answer

/** done(pushMessageID, ms) is told of each message that was sent here and has arrived here. */
export function arrivals(done) {
  const awaited = new Map(); // pushMessageID -> when it was sent
  const early = new Map(); // pushMessageID -> when it arrived: before the answer to its sending

  function keep(map, id, at) {
    map.set(id, at);
    if (map.size > MOST) map.delete(map.keys().next().value);
  }

  function arrived(id, at = performance.now()) {
    if (!id) return;
    if (!awaited.has(id)) {
      keep(early, id, at);
      return;
    }
    done(id, at - awaited.get(id));
    awaited.delete(id);
  }

  return {
    arrived,
    sent(id, at) {
      keep(awaited, id, at);
      if (early.has(id)) arrived(id, early.get(id));
    },
    reset() {
      awaited.clear();
      early.clear();
    },
  };
}
