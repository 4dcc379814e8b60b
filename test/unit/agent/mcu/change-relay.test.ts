import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { ChangeRelay, joinPatches } from "../../../../src/agent/mcu/change-relay.ts";
import { deferred } from "../../../../src/deferred.ts";

const change = (version: number, patch: object) => ({ version, patch, desired: {} }) as never;

describe("changes for somebody slow", () => {
  test("come one by one while he keeps up, and as one when he does not", async () => {
    const relay = new ChangeRelay();
    const changes = relay.changes();
    relay.give(change(1, { a: 1 }));
    expect((await changes.next()).value).toMatchObject({ version: 1, patch: { a: 1 } });
    const waiting = changes.next();
    relay.give(change(2, { a: 2 }));
    expect((await waiting).value).toMatchObject({ version: 2 });
    relay.give(change(3, { a: 3, b: { c: 1 } }));
    relay.give(change(4, { b: { d: null } }));
    expect((await changes.next()).value).toMatchObject({ version: 4, patch: { a: 3, b: { c: 1, d: null } } });
  });

  test("come as one when he gets ready only after several", async () => {
    const relay = new ChangeRelay();
    const ready = deferred<void>();
    const changes = relay.changes({}, () => ready.promise);
    const waiting = changes.next();
    relay.give(change(1, { a: 1, b: 1 }));
    await nextTurn();
    relay.give(change(2, { a: 2 }));
    ready.resolve();
    expect((await waiting).value).toMatchObject({ version: 2, patch: { a: 2, b: 1 } });
  });

  test("end with the signal", async () => {
    const next = new ChangeRelay().changes({ signal: AbortSignal.abort(new Error("enough")) }).next();
    await expect(next).rejects.toThrow("enough");
  });

  test("keep deletions when they are put together", () => {
    expect(joinPatches({ a: 1, b: null }, { a: null, b: 2 })).toEqual({ a: null, b: 2 });
  });
});
