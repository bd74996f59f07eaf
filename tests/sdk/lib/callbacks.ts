// The callback style: {success, failure} as the last argument.

import { strict as assert } from "node:assert";

/** What became of a call: the arguments of the function that was called, and what the Promise gave. */
export interface Outcome {
  success?: any[];
  failure?: any[];
  value?: any;
  error?: SdkError;
  /** How often success or failure was called. */
  times: number;
}

/** Makes a call in the callback style, and checks that its Promise says the same. */
export async function calledBack(call: (callbacks: SdkCallbacks) => Promise<unknown>): Promise<Outcome> {
  const outcome: Outcome = { times: 0 };
  const promise = call({
    success(...args) {
      outcome.times++;
      if (outcome.times === 1) outcome.success = args;
    },
    failure(...args) {
      outcome.times++;
      if (outcome.times === 1) outcome.failure = args;
    },
  });
  try {
    outcome.value = await promise;
  } catch (error) {
    outcome.error = error as SdkError;
  }
  assert.ok(outcome.times > 0, "the Promise settled, but no callback was called");
  assert.equal(outcome.error === undefined, outcome.success !== undefined, `callback and Promise disagree: ${String(outcome.error)}`);
  return outcome;
}

/** A call in the callback style that has to succeed; gives the arguments of success. */
export async function succeeds(call: (callbacks: SdkCallbacks) => Promise<unknown>): Promise<any[]> {
  const outcome = await calledBack(call);
  if (outcome.error) throw outcome.error;
  return outcome.success ?? [];
}

/** A call in the callback style that has to fail; gives the arguments of failure and the Promise's reason. */
export async function fails(call: (callbacks: SdkCallbacks) => Promise<unknown>): Promise<{ failure: any[]; error: SdkError }> {
  const outcome = await calledBack(call);
  assert.ok(outcome.failure && outcome.error, "the call succeeded");
  return { failure: outcome.failure, error: outcome.error };
}

/** A call in the Promise style that has to fail; gives the reason. */
export async function rejects(promise: Promise<unknown>): Promise<SdkError> {
  let value: unknown;
  try {
    value = await promise;
  } catch (error) {
    assert.ok(error instanceof Error, `not an Error: ${String(error)}`);
    return error;
  }
  assert.fail(`the call succeeded with ${String(value)}`);
}
