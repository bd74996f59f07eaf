// Which of the tabs that share a connection has it: one step at a time, as a pure function.
// A lock that the browser gives to one tab at a time decides.

/**
 * out: no connection is open here. candidate: waits for the lock, and follows meanwhile.
 * leader: has the lock. away: the page stands still (freeze) or is put aside (pagehide), and must
 * hold up nobody.
 */
export type Role = "out" | "candidate" | "leader" | "away";

export interface State {
  readonly role: Role;
  /** Ticks in turn without a sign of life from a leader. */
  readonly doubts: number;
}

/**
 * enter and leave: the first connection was opened here, the last one closed. granted: the lock is
 * ours; robbed: another tab has stolen it; barred: this place gives no locks. suspend and
 * resume: the page goes to stand still, and is back. sign: something came from a leader. tick: time goes by,
 * in a page that runs and is looked at.
 */
export type Event = "enter" | "leave" | "granted" | "robbed" | "barred" | "suspend" | "resume" | "sign" | "tick";

/**
 * request, withdraw, steal, release: of the lock. lead: open the connection; stop: close it. hello: ask who
 * leads, ping: ask whether it lives.
 */
export type Effect = "request" | "withdraw" | "steal" | "release" | "lead" | "stop" | "hello" | "ping";

/** So many ticks without a sign of life, a ping at each but the first, and with the next the leader is taken for hung. */
export const patience = 3;

export const start: State = { role: "out", doubts: 0 };

const stay: readonly Effect[] = [];

/** Gives the state that follows and what is to be done, in order. What does not concern a role changes nothing. */
export function step(state: State, event: Event): [State, readonly Effect[]] {
  switch (state.role) {
    case "out":
      if (event === "enter") return become("candidate", "request", "hello");
      break;
    case "candidate":
      return asCandidate(state, event);
    case "leader":
      if (event === "leave") return become("out", "stop", "release");
      if (event === "suspend") return become("away", "stop", "release");
      if (event === "robbed") return become("candidate", "stop", "request", "hello");
      break;
    case "away":
      if (event === "leave") return become("out");
      if (event === "resume") return become("candidate", "request", "hello");
  }
  return [state, stay];
}

function asCandidate(state: State, event: Event): [State, readonly Effect[]] {
  switch (event) {
    case "granted":
    case "barred":
      return become("leader", "lead");
    case "leave":
      return become("out", "withdraw");
    case "suspend":
      return become("away", "withdraw");
    case "sign":
      return [state.doubts === 0 ? state : { ...state, doubts: 0 }, stay];
    case "tick":
      if (state.doubts === patience) return become("candidate", "withdraw", "steal");
      return [{ ...state, doubts: state.doubts + 1 }, state.doubts === 0 ? stay : ["ping"]]; // the answer to one serves all
  }
  return [state, stay];
}

function become(role: Role, ...effects: Effect[]): [State, readonly Effect[]] {
  return [{ role, doubts: 0 }, effects];
}
