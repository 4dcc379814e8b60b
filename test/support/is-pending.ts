import { setImmediate as nextTurn } from "node:timers/promises";

/** Whether a promise has not settled after whatever is under way in memory has had its turn. */
export async function isPending(promise: Promise<unknown>): Promise<boolean> {
  for (let turn = 0; turn < 5; turn++) await nextTurn();
  const pending = Symbol();
  const outcome = await Promise.race([promise, Promise.resolve(pending)]).catch(() => undefined);
  return outcome === pending;
}
