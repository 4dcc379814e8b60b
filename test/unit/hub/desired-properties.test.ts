import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LandfallError } from "../../../src/errors.ts";
import type { DesiredChange } from "../../../src/hub/desired-document.ts";
import { DesiredProperties } from "../../../src/hub/desired-properties.ts";
import { applyMergePatch } from "../../../src/hub/merge-patch.ts";
import type { JsonObject } from "../../../src/json.ts";
import { silentLogger } from "../../../src/log.ts";
import { FakeClock } from "../../../src/testing/fake-clock.ts";
import type { FakeHubConnection } from "../../../src/testing/fake-hub-connection.ts";
import { FakeHubTransport } from "../../../src/testing/fake-hub-transport.ts";

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Desired properties of a device, and the hub they come from. */
class Scene {
  readonly clock = new FakeClock();
  readonly transport = new FakeHubTransport();
  wanted = 0;
  readonly desired = new DesiredProperties({
    clock: this.clock,
    random: () => 1,
    log: silentLogger,
    onWanted: () => {
      this.wanted += 1;
    },
  });

  /** @param desired the hub's document at version 1 */
  constructor(desired: JsonObject = {}) {
    this.set(desired, 1);
  }

  set(desired: JsonObject, version: number): void {
    this.transport.setTwin({ desired: { ...desired, $version: version }, reported: { $version: 1 } });
  }

  async connect(): Promise<FakeHubConnection> {
    const credential = { kind: "sas" as const, token: () => Promise.reject(new Error("unused")) };
    const onDesired = (patch: Parameters<DesiredProperties["push"]>[0]): void => this.desired.push(patch);
    const connection = await this.transport.connect({ host: "hub" }, { deviceId: "d", credential }, { onDesired });
    this.desired.attach(connection);
    return connection;
  }

  drop(connection: FakeHubConnection): void {
    connection.drop();
    this.desired.detach();
  }

  /** Consumes everything as it comes. */
  collect(): DesiredChange[] {
    const changes: DesiredChange[] = [];
    void (async () => {
      for await (const change of this.desired.consume()) changes.push(change);
    })();
    return changes;
  }
}

describe("desired properties", () => {
  test("begin with the whole document as the patch, without the service's own members", async () => {
    const scene = new Scene({ interval: 5, led: { on: true } });
    const changes = scene.collect();
    await scene.connect();
    await turn();
    const document = { interval: 5, led: { on: true } };
    expect(changes).toEqual([{ version: 1, desired: document, patch: document }]);
  });

  test("go on with every pushed patch, null deletions included", async () => {
    const scene = new Scene({ interval: 5, led: { on: true, dim: 3 } });
    const changes = scene.collect();
    const connection = await scene.connect();
    await turn();
    connection.pushDesired({ led: { on: false, dim: null } });
    connection.pushDesired({ interval: null });
    await turn();
    expect(changes.slice(1)).toEqual([
      { version: 2, patch: { led: { on: false, dim: null } }, desired: { interval: 5, led: { on: false } } },
      { version: 3, patch: { interval: null }, desired: { led: { on: false } } },
    ]);
  });

  test("after a reconnect go on with the difference only", async () => {
    const scene = new Scene({ interval: 5, mode: "eco" });
    const changes = scene.collect();
    const connection = await scene.connect();
    await turn();
    scene.drop(connection);
    scene.transport.changeDesired({ interval: 6 });
    scene.transport.changeDesired({ mode: null });
    await scene.connect();
    await turn();
    expect(changes.slice(1)).toEqual([{ version: 3, patch: { interval: 6, mode: null }, desired: { interval: 6 } }]);
  });

  test("say nothing after a reconnect that changed nothing", async () => {
    const scene = new Scene({ interval: 5 });
    const changes = scene.collect();
    const connection = await scene.connect();
    await turn();
    scene.drop(connection);
    expect((await scene.connect()).twinReads).toBe(1);
    await turn();
    expect(changes).toHaveLength(1);
  });

  test("drop patches that are known already", async () => {
    const scene = new Scene({ interval: 5 });
    const changes = scene.collect();
    const connection = await scene.connect();
    await turn();
    connection.pushDesired({ interval: 6 });
    scene.desired.push({ version: 2, patch: { interval: 99 } });
    scene.desired.push({ version: 1, patch: { interval: 98 } });
    await turn();
    expect(changes.map(({ version, desired }) => [version, desired])).toEqual([
      [1, { interval: 5 }],
      [2, { interval: 6 }],
    ]);
  });

  test("read the twin when a patch is missing in between", async () => {
    const scene = new Scene({ a: 1 });
    const changes = scene.collect();
    const connection = await scene.connect();
    await turn();
    scene.transport.changeDesired({ b: 2 });
    connection.pushDesired({ c: 3 });
    await turn();
    expect(connection.twinReads).toBe(2);
    expect(changes.slice(1)).toEqual([{ version: 3, patch: { b: 2, c: 3 }, desired: { a: 1, b: 2, c: 3 } }]);
  });

  test("read again when a patch was pushed that the answer does not hold yet", async () => {
    const scene = new Scene({ a: 1 });
    let reads = 0;
    scene.transport.behave((operation, connection) => {
      // The push overtakes the first answer, which is of the version before.
      if (operation.kind === "getTwin" && ++reads === 1)
        connection.handlers.onDesired?.({ version: 2, patch: { a: 2 } });
      return undefined;
    });
    const changes = scene.collect();
    await scene.connect();
    await turn();
    expect(changes).toEqual([]);
    scene.set({ a: 2 }, 2);
    await scene.clock.advance(1000);
    expect(changes).toEqual([{ version: 2, patch: { a: 2 }, desired: { a: 2 } }]);
  });

  test("a version that went backwards is another document, told by its difference", async () => {
    const scene = new Scene();
    scene.set({ a: 1, b: 2 }, 40);
    const changes = scene.collect();
    const connection = await scene.connect();
    await turn();
    scene.drop(connection);
    scene.set({ a: 1, c: 3 }, 2);
    const other = await scene.connect();
    await turn();
    other.pushDesired({ c: 4 });
    await turn();
    expect(changes.slice(1)).toEqual([
      { version: 2, patch: { b: null, c: 3 }, desired: { a: 1, c: 3 } },
      { version: 3, patch: { c: 4 }, desired: { a: 1, c: 4 } },
    ]);
  });

  test("a new version that changes nothing is told with an empty patch", async () => {
    const scene = new Scene({ a: 1 });
    const changes = scene.collect();
    const connection = await scene.connect();
    await turn();
    scene.drop(connection);
    scene.set({ a: 1 }, 7);
    await scene.connect();
    await turn();
    expect(changes.slice(1)).toEqual([{ version: 7, patch: {}, desired: { a: 1 } }]);
  });

  test("read again, with backoff, while the hub refuses or answers without a version", async () => {
    const scene = new Scene({ a: 1 });
    const throttled = new LandfallError("hub.twin-rejected", "slow down", { service: { status: 429 } });
    const failures = [throttled, new LandfallError("transport.timeout", "silence")];
    scene.transport.behave(({ kind }) => (kind === "getTwin" ? failures.shift() : undefined));
    const changes = scene.collect();
    scene.transport.setTwin({ desired: {}, reported: {} });
    const connection = await scene.connect();
    await turn();
    expect(scene.clock.pending).toEqual([1000]);
    await scene.clock.advance(1000);
    expect(scene.clock.pending).toEqual([2000]);
    await scene.clock.advance(2000);
    expect(scene.clock.pending).toEqual([4000]);
    scene.set({ a: 1 }, 1);
    await scene.clock.advance(4000);
    expect(connection.twinReads).toBe(4);
    expect(changes).toHaveLength(1);
  });

  test("stop reading when the connection is gone", async () => {
    const scene = new Scene({ a: 1 });
    scene.transport.behave(({ kind }) => (kind === "getTwin" ? new Promise(() => {}) : undefined));
    scene.collect();
    const connection = await scene.connect();
    scene.drop(connection);
    await turn();
    expect(scene.clock.pending).toEqual([]);
    expect(connection.twinReads).toBe(1);
  });

  test("stop waiting to read again when the connection is gone", async () => {
    const scene = new Scene({ a: 1 });
    scene.transport.behave(() => new LandfallError("hub.twin-rejected", "busy"));
    scene.collect();
    const connection = await scene.connect();
    await turn();
    expect(scene.clock.pending).toEqual([1000]);
    scene.drop(connection);
    await turn();
    expect(scene.clock.pending).toEqual([]);
  });

  test("hand over nothing before it is asked for", async () => {
    const scene = new Scene({ n: 0 });
    const consumer = scene.desired.consume();
    const connection = await scene.connect();
    await turn();
    for (let n = 1; n <= 3; n++) connection.pushDesired({ n });
    const versions: (number | undefined)[] = [];
    for (let n = 0; n < 4; n++) versions.push((await consumer.next()).value?.version);
    expect(versions).toEqual([1, 2, 3, 4]);
  });

  test("are made one change for a consumer that is more than 64 behind", async () => {
    const scene = new Scene({ n: 0, gone: true });
    const consumer = scene.desired.consume();
    const connection = await scene.connect();
    await turn();
    await consumer.next();
    connection.pushDesired({ gone: null });
    for (let n = 1; n <= 64; n++) connection.pushDesired({ n });
    expect((await consumer.next()).value).toEqual({ version: 66, patch: { n: 64, gone: null }, desired: { n: 64 } });
    connection.pushDesired({ n: 65 });
    expect((await consumer.next()).value).toEqual({ version: 67, patch: { n: 65 }, desired: { n: 65 } });
  });

  test("begin anew for a later consumer, and have one at a time", async () => {
    const scene = new Scene({ a: 1 });
    const first = scene.desired.consume();
    expect(() => scene.desired.consume()).toThrow(expect.objectContaining({ code: "hub.already-consumed" }));
    await scene.connect();
    await first.next();
    await first.return?.();
    expect(scene.desired.wanted).toBe(false);
    const second = scene.desired.consume();
    expect((await second.next()).value).toMatchObject({ version: 1, patch: { a: 1 } });
    expect(scene.wanted).toBe(1);
  });

  test("begin anew for a later consumer also when it starts out more than 64 behind", async () => {
    const scene = new Scene({ same: true, n: 0 });
    const first = scene.desired.consume();
    const connection = await scene.connect();
    await first.next();
    await first.return?.();
    const second = scene.desired.consume();
    await turn();
    for (let n = 1; n <= 64; n++) connection.pushDesired({ n });
    expect((await second.next()).value).toMatchObject({ version: 65, patch: { same: true, n: 64 } });
  });

  test("end when closed", async () => {
    const scene = new Scene();
    const next = scene.desired.consume().next();
    scene.desired.close();
    expect(await next).toEqual({ done: true, value: undefined });
  });
});

type Event =
  | { readonly kind: "change"; readonly patch: JsonObject; readonly lost: boolean }
  | { readonly kind: "reconnect" }
  | { readonly kind: "repeat" }
  | { readonly kind: "recreate"; readonly desired: JsonObject; readonly version: number };

const leaf = fc.constantFrom(1, 2, "x", true);
const document = fc.dictionary(
  fc.constantFrom("a", "b", "c"),
  fc.oneof(leaf, fc.dictionary(fc.constantFrom("x", "y"), leaf)),
);
const patch = fc.dictionary(
  fc.constantFrom("a", "b", "c"),
  fc.oneof(leaf, fc.constant(null), fc.dictionary(fc.constantFrom("x", "y"), fc.oneof(leaf, fc.constant(null)))),
);
const event: fc.Arbitrary<Event> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant("change" as const), patch, lost: fc.boolean() }) },
  { weight: 2, arbitrary: fc.constant<Event>({ kind: "reconnect" }) },
  { weight: 2, arbitrary: fc.constant<Event>({ kind: "repeat" }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("recreate" as const),
      desired: document,
      version: fc.integer({ min: 1, max: 5 }),
    }),
  },
);

describe("desired properties, whatever the hub and the line do", () => {
  test("the patches in a row lead to the hub's document, and no version of a connection is told twice", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(event, { maxLength: 20 }), async (events) => {
        const scene = new Scene({ a: 1 });
        const changes = scene.collect();
        let connection = await scene.connect();
        await turn();
        let firstOfTwin = 0;
        for (const each of events) {
          if (each.kind === "change" && each.lost) scene.transport.changeDesired(each.patch);
          if (each.kind === "change" && !each.lost) connection.pushDesired(each.patch);
          if (each.kind === "repeat") {
            const known = changes.at(-1);
            if (known) scene.desired.push({ version: known.version, patch: { a: "repeated" } });
          }
          if (each.kind === "recreate") {
            scene.drop(connection);
            scene.set(each.desired, each.version);
            firstOfTwin = changes.length;
            connection = await scene.connect();
          }
          if (each.kind === "reconnect") {
            scene.drop(connection);
            connection = await scene.connect();
          }
          await turn();
          const versions = changes.slice(firstOfTwin).map(({ version }) => version);
          expect(versions).toEqual([...new Set(versions)].sort((a, b) => a - b));
        }
        scene.drop(connection);
        await scene.connect();
        await turn();
        const { $version, ...desired } = scene.transport.twin.desired;
        const applied = changes.reduce<JsonObject>((known, change) => {
          const after = applyMergePatch(known, change.patch);
          expect(after).toEqual(change.desired);
          return after;
        }, {});
        expect(applied).toEqual(desired);
        expect(changes.at(-1)?.version).toBe($version);
      }),
    );
  });
});
