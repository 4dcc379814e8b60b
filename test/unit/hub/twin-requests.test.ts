import { describe, expect, test } from "vitest";
import { LandfallError } from "../../../src/errors.ts";
import { LiveConnection } from "../../../src/hub/live-connection.ts";
import { TwinRequests } from "../../../src/hub/twin-requests.ts";
import { FakeClock } from "../../../src/testing/fake-clock.ts";
import type { FakeHubConnection, FakeHubOperation } from "../../../src/testing/fake-hub-connection.ts";
import { FakeHubTransport } from "../../../src/testing/fake-hub-transport.ts";

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

class Scene {
  readonly clock = new FakeClock();
  readonly transport = new FakeHubTransport();
  readonly live = new LiveConnection();
  readonly twin = new TwinRequests({ live: this.live, clock: this.clock, random: () => 1 });

  async connect(): Promise<FakeHubConnection> {
    const credential = { kind: "sas" as const, token: () => Promise.reject(new Error("unused")) };
    const connection = await this.transport.connect({ host: "hub" }, { deviceId: "d", credential }, {});
    this.live.offer(connection);
    return connection;
  }

  /** Requests of `kind` fail with these errors, one after the other, then succeed; `hang` never answers. */
  fail(kind: FakeHubOperation["kind"], ...failures: (Error | "hang")[]): void {
    this.transport.behave((operation) => {
      const failure = operation.kind === kind ? failures.shift() : undefined;
      return failure === "hang" ? new Promise(() => {}) : failure;
    });
  }
}

const rejected = (status: number, retryAfterMs?: number): LandfallError =>
  new LandfallError("hub.twin-rejected", "no", {
    service: { status, errorCode: 400_004, message: "bad property" },
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });

describe("twin requests", () => {
  test("read the whole twin, waiting for a connection", async () => {
    const scene = new Scene();
    const reading = scene.twin.read();
    await scene.connect();
    expect(await reading).toEqual(scene.transport.twin);
  });

  test("a reported patch resolves with the new version", async () => {
    const scene = new Scene();
    await scene.connect();
    expect(await scene.twin.patchReported({ temperature: 20 })).toBe(2);
    expect(await scene.twin.patchReported({ temperature: null, mode: "eco" })).toBe(3);
    expect(scene.transport.twin.reported).toEqual({ mode: "eco", $version: 3 });
  });

  test("are made again over the next connection when theirs was lost", async () => {
    const scene = new Scene();
    scene.fail("patchReported", "hang");
    const first = await scene.connect();
    const patching = scene.twin.patchReported({ a: 1 });
    await turn();
    first.drop();
    const second = await scene.connect();
    await patching;
    expect(second.reportedPatches).toEqual([{ a: 1 }]);
  });

  test("a later patch never overtakes one that is made again", async () => {
    const scene = new Scene();
    scene.fail("patchReported", "hang");
    const first = await scene.connect();
    const patches = [{ a: 1 }, { a: 2 }, { a: 3 }].map((patch) => scene.twin.patchReported(patch));
    await turn();
    expect(first.reportedPatches).toEqual([]);
    first.drop();
    const second = await scene.connect();
    await Promise.all(patches);
    expect(second.reportedPatches).toEqual([{ a: 1 }, { a: 2 }, { a: 3 }]);
  });

  test("what the hub refuses rejects with its report, and does not hold up the next patch", async () => {
    const scene = new Scene();
    scene.fail("patchReported", rejected(400));
    await scene.connect();
    const refused = scene.twin.patchReported({ "bad.name": 1 });
    const next = scene.twin.patchReported({ good: 1 });
    await expect(refused).rejects.toMatchObject({
      code: "hub.twin-rejected",
      service: { status: 400, errorCode: 400_004, message: "bad property" },
    });
    await next;
    expect(scene.clock.pending).toEqual([]);
  });

  test("are made again with backoff when the hub is throttling, failing or silent", async () => {
    const scene = new Scene();
    const busy = new LandfallError("transport.unavailable", "busy", { service: { status: 503 } });
    scene.fail("getTwin", rejected(429), rejected(500), busy, new LandfallError("transport.timeout", "silence"));
    await scene.connect();
    const reading = scene.twin.read();
    for (const delayMs of [1000, 2000, 4000, 8000]) {
      await turn();
      expect(scene.clock.pending).toEqual([delayMs]);
      await scene.clock.advance(delayMs);
    }
    await reading;
  });

  test("wait as long as the hub asked", async () => {
    const scene = new Scene();
    scene.fail("getTwin", rejected(429, 20_000));
    await scene.connect();
    void scene.twin.read();
    await turn();
    expect(scene.clock.pending).toEqual([21_000]);
  });

  test("give up after five times", async () => {
    const scene = new Scene();
    scene.fail("getTwin", ...Array.from({ length: 5 }, () => rejected(503)));
    const connection = await scene.connect();
    const outcome = expect(scene.twin.read()).rejects.toMatchObject({ service: { status: 503 } });
    await scene.clock.advance(60_000);
    await outcome;
    expect(connection.twinReads).toBe(5);
  });

  test("an abort while waiting for its turn leaves the order of the others alone", async () => {
    const scene = new Scene();
    scene.fail("patchReported", "hang");
    const stuck = await scene.connect();
    const abort = new AbortController();
    const first = scene.twin.patchReported({ a: 1 });
    const second = scene.twin.patchReported({ a: 2 }, { signal: abort.signal });
    const third = scene.twin.patchReported({ a: 3 });
    await turn();
    abort.abort("enough");
    await expect(second).rejects.toBe("enough");
    await turn();
    expect(stuck.reportedPatches).toEqual([]);
    stuck.drop();
    const connection = await scene.connect();
    await Promise.all([first, third]);
    expect(connection.reportedPatches).toEqual([{ a: 1 }, { a: 3 }]);
  });

  test("an abort ends a request under way", async () => {
    const scene = new Scene();
    scene.fail("patchReported", "hang");
    await scene.connect();
    const abort = new AbortController();
    const patching = scene.twin.patchReported({ a: 1 }, { signal: abort.signal });
    await turn();
    abort.abort("enough");
    await expect(patching).rejects.toBe("enough");
    await scene.twin.settled();
  });

  test("are settled when every patch has been answered", async () => {
    const scene = new Scene();
    const patching = scene.twin.patchReported({ a: 1 });
    let settled = false;
    const settling = scene.twin.settled().then(() => (settled = true));
    await turn();
    expect(settled).toBe(false);
    await scene.connect();
    await Promise.all([patching, settling]);
  });
});
