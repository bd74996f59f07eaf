// Makes the calls of one of this tab's connections on the connection that the tabs share, and
// keeps which further filters are its own.

import { aborted, type KiiError } from "../errors.js";
import type { LinkOptions } from "../host.js";
import { runsOf, type Run } from "../staged.js";
import { unpackError } from "../workermessages.js";
import type { Failure } from "./dispatch.js";
import { ended, type LedCalls, type Method } from "./ledcalls.js";
import type { Member } from "./member.js";
import type { Members } from "./members.js";
import { refused } from "./renewal.js";

/** What a call that nobody has made may take, in milliseconds. */
export const usual = 30_000;

/** Makes any call but close. */
export async function makeFor(
  member: Member,
  members: Members,
  calls: LedCalls,
  method: Method,
  args: unknown[],
  options: LinkOptions,
): Promise<unknown> {
  const filter = args[0] as string;
  if (!members.has(member)) throw ended();
  const before = member.filters.get(filter);
  const { signal: _, timeout: __, ...how } = options;
  if (method === "subscribe") {
    member.filters.set(filter, how);
  } else if (method === "unsubscribe") {
    member.filters.delete(filter);
  }
  try {
    return await calls.make(method, args, options);
  } catch (error) {
    if (member.filters.get(filter) === how) {
      if (before) member.filters.set(filter, before);
      else member.filters.delete(filter);
      if (!refused(error as KiiError)) calls.make("unsubscribe", [filter], { timeout: usual }).catch(() => {}); // it may come to be granted yet
    }
    if (options.signal?.aborted) throw aborted(options.signal); // as who aborts a call and closes the connection expects
    throw members.has(member) ? error : ended(); // a connection that was closed meanwhile fails for that
  }
}

/** Sends what was published in one turn in one call, unless only a part of it may be sent again. */
export function sendFor(member: Member, members: Members, calls: LedCalls, staged: Uint8Array, first: number): void {
  for (const run of runsOf(staged)) {
    void sendRun(member, members, calls, run, first);
    first += run.count;
  }
}

async function sendRun(member: Member, members: Members, calls: LedCalls, { bytes, count, again }: Run, first: number): Promise<void> {
  const failed = new Map<number, KiiError>();
  try {
    if (!members.has(member)) throw ended();
    const options = { timeout: usual, qos: again ? 1 : 0 } as const;
    const failures = (await calls.make("send", [bytes, count], options)) as Failure[];
    for (const [place, why] of failures) failed.set(place, unpackError(why) as KiiError);
  } catch (error) {
    for (let place = 0; place < count; place++) failed.set(place, error as KiiError);
  }
  member.sink.sent(Int32Array.from({ length: count }, (_, i) => first + i).filter((_, i) => !failed.has(i)));
  for (const [place, error] of failed) member.sink.sent(Int32Array.of(first + place), error);
}
