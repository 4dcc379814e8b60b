import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { untilAborted } from "../../../src/abort.ts";
import type { KnownAssignment } from "../../../src/agent/assignment-source.ts";
import { Provisioner } from "../../../src/agent/provisioner.ts";
import { deferred } from "../../../src/deferred.ts";
import { LandfallError } from "../../../src/errors.ts";
import { silentLogger } from "../../../src/log.ts";
import type { Assignment } from "../../../src/provisioning/assignment.ts";
import { FakeClock } from "../../../src/testing/fake-clock.ts";
import { watch } from "../../support/agent-record.ts";

const assignment: Assignment = { assignedHub: "hub-a.azure-devices.net", deviceId: "device-1" };
const passing = new LandfallError("provisioning.service-error", "an error made by the test");
const second = 1000;
const minute = 60 * second;

/** A provisioner before a source that answers at once, as the test says. */
class Desk {
  readonly clock = new FakeClock();
  /** When DPS was asked, in milliseconds from the start. */
  readonly askedAtMs: number[] = [];
  readonly told: string[] = [];
  readonly adopted: string[] = [];
  /** What the source does next; then it assigns. */
  readonly outcomes: (() => Promise<Assignment>)[] = [];
  adopt: () => Promise<void> = async () => {};
  /** What the source needs to close its connection. */
  lettingGo: Promise<unknown> = Promise.resolve();
  /** What the source needs to close its connection after it has answered. */
  leaving: Promise<void> = Promise.resolve();
  readonly provisioner: Provisioner;

  constructor({ known, random = () => 0.5 }: { known?: KnownAssignment; random?: () => number } = {}) {
    this.provisioner = new Provisioner({
      source: {
        asksService: true,
        whenLeft: () => this.leaving,
        known: async () => known,
        ask: async ({ signal } = {}) => {
          this.askedAtMs.push(this.clock.elapsed());
          try {
            return await untilAborted((this.outcomes.shift() ?? (async () => assignment))(), signal);
          } finally {
            await this.lettingGo;
          }
        },
      },
      registrationId: "device-1",
      adopt: async (_, origin) => {
        await this.adopt();
        this.adopted.push(origin);
      },
      tell: (name) => this.told.push(name),
      clock: this.clock,
      random,
      log: silentLogger,
    });
  }

  fails(error: Error): this {
    this.outcomes.push(() => Promise.reject(error));
    return this;
  }
}

describe("asking again for a hub that refuses", () => {
  test("the first time at once, then ever more seldom, although DPS answers each time", async () => {
    const { provisioner, clock, askedAtMs } = new Desk();
    for (let refusal = 0; refusal < 1000; refusal++) {
      await provisioner.askAgain("hub-refused");
      await clock.advance(second);
    }
    const gaps = askedAtMs.slice(1).map((at, index) => (at - (askedAtMs[index] ?? 0)) / second);
    expect(askedAtMs[0]).toBe(0);
    // Half of 5 s, doubled each time up to half of 10 minutes, on the next refusal.
    expect(gaps).toEqual([3, 5, 10, 20, 40, 80, 160, 300, 300]);
  });

  test("at once when the hub had accepted the device in between", async () => {
    const { provisioner, clock, askedAtMs } = new Desk();
    for (let round = 0; round < 5; round++) {
      await provisioner.askAgain("hub-refused");
      provisioner.confirm();
      await clock.advance(1);
    }
    expect(askedAtMs).toEqual([0, 1, 2, 3, 4]);
  });

  test("as often as in the beginning, when the hub had accepted the device in between", async () => {
    const { provisioner, clock, askedAtMs } = new Desk();
    for (let refusal = 0; refusal < 100; refusal++) {
      await provisioner.askAgain("hub-refused");
      await clock.advance(second);
    }
    provisioner.confirm();
    const before = askedAtMs.length;
    for (let refusal = 0; refusal < 10; refusal++) {
      await provisioner.askAgain("hub-refused");
      await clock.advance(second);
    }
    expect(askedAtMs.slice(before).map((at) => at / second)).toEqual([100, 103, 108]);
  });

  test("not before the time that DPS asked for", async () => {
    const desk = new Desk().fails(
      new LandfallError("provisioning.throttled", "slow down", { retryAfterMs: 10 * minute }),
    );
    await desk.provisioner.askAgain("hub-refused");
    await desk.clock.advance(10 * minute);
    await desk.provisioner.askAgain("hub-refused");
    expect(desk.askedAtMs).toHaveLength(1);
    await desk.clock.advance(2500);
    await desk.provisioner.askAgain("hub-refused");
    expect(desk.askedAtMs).toEqual([0, 10 * minute + 2500]);
  });

  test("whatever fails and whatever succeeds: the number of rounds stays small, and delays have full jitter", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            ok: fc.boolean(),
            afterMs: fc.nat(20_000),
            draw: fc.double({ min: 0, max: 0.999, noNaN: true }),
          }),
          {
            minLength: 20,
            maxLength: 60,
          },
        ),
        async (refusals) => {
          let draw = 0;
          const desk = new Desk({ random: () => draw });
          let notBeforeMs = 0;
          let rounds = 0;
          for (const refusal of refusals) {
            draw = refusal.draw;
            const before = desk.askedAtMs.length;
            if (!refusal.ok) desk.outcomes[0] = () => Promise.reject(passing);
            else desk.outcomes.length = 0;
            await desk.provisioner.askAgain("hub-refused");
            const atMs = desk.clock.elapsed();
            expect(desk.askedAtMs.length - before).toBe(atMs >= notBeforeMs ? 1 : 0);
            if (desk.askedAtMs.length > before) {
              notBeforeMs = atMs + draw * Math.min(600_000, 5000 * 2 ** rounds);
              rounds += 1;
            }
            await desk.clock.advance(refusal.afterMs);
          }
        },
      ),
      { numRuns: 30 },
    );
  });

  test("never rejects, and a round under way is enough", async () => {
    const desk = new Desk();
    const answer = deferred<Assignment>();
    desk.outcomes.push(() => answer.promise);
    const first = desk.provisioner.askAgain("hub-refused");
    await desk.provisioner.askAgain("hub-unreachable");
    answer.reject(passing);
    await first;
    expect(desk.askedAtMs).toHaveLength(1);
    expect(desk.told).toEqual(["provisioning", "provisioning-failed"]);
  });
});

describe("a round", () => {
  test("becomes patient when somebody joins who waits for what passes", async () => {
    const desk = new Desk();
    const answer = deferred<Assignment>();
    desk.outcomes.push(() => answer.promise);
    const impatient = watch(desk.provisioner.ask("requested"));
    const patient = watch(desk.provisioner.ask("first-time", { patient: true }));
    answer.reject(passing);
    await desk.clock.advance(2499);
    expect([impatient.outcome, patient.outcome]).toEqual(["pending", "pending"]);
    await desk.clock.advance(1);
    expect([impatient.outcome, patient.outcome]).toEqual([assignment, assignment]);
    expect(desk.adopted).toEqual(["provisioned"]);
  });

  test("is impatient again afterwards", async () => {
    const desk = new Desk().fails(passing);
    const first = desk.provisioner.ask("first-time", { patient: true });
    await desk.clock.advance(minute);
    await first;
    desk.fails(passing);
    await expect(desk.provisioner.ask("requested")).rejects.toBe(passing);
  });

  test("has failed when nobody can work with what it brought", async () => {
    const desk = new Desk();
    const unusable = new LandfallError("key.unusable", "a key that does not open");
    desk.adopt = () => Promise.reject(unusable);
    await expect(desk.provisioner.ask("first-time", { patient: true })).rejects.toBe(unusable);
    expect(desk.told).toEqual(["provisioning", "provisioning-failed"]);
  });

  test("a fault of the program is not waited for", async () => {
    const desk = new Desk().fails(new TypeError("a fault of the program"));
    await expect(desk.provisioner.begin({ askFirst: false })).rejects.toThrow(TypeError);
    expect(desk.clock.pending).toEqual([]);
  });
});

describe("the beginning", () => {
  const known: KnownAssignment = { assignment, origin: "stored" };

  test("takes what is known", async () => {
    const desk = new Desk({ known });
    await desk.provisioner.begin({ askFirst: false });
    expect([desk.adopted, desk.askedAtMs]).toEqual([["stored"], []]);
  });

  test("falls back on what is known when DPS brings something that nobody can work with", async () => {
    const desk = new Desk({ known });
    const adoptions = [() => Promise.reject(passing), async () => {}];
    desk.adopt = () => (adoptions.shift() as () => Promise<void>)();
    await desk.provisioner.begin({ askFirst: true });
    expect(desk.adopted).toEqual(["stored"]);
  });

  test("does not take back what somebody asked for before", async () => {
    const desk = new Desk({ known });
    await desk.provisioner.ask("requested");
    await desk.provisioner.begin({ askFirst: true });
    expect(desk.adopted).toEqual(["provisioned"]);
    expect(desk.askedAtMs).toHaveLength(1);
  });
});

describe("the end", () => {
  test.each([
    ["while DPS is asked", (desk: Desk) => desk.outcomes.push(() => new Promise<Assignment>(() => {}))],
    ["while it waits", (desk: Desk) => desk.fails(passing)],
  ])("%s: rejects with the reason and leaves no timer", async (_, prepare) => {
    const desk = new Desk();
    prepare(desk);
    const begun = watch(desk.provisioner.begin({ askFirst: false }));
    await desk.clock.advance(0);
    const reason = new Error("over");
    await desk.provisioner.close(reason);
    await desk.clock.advance(0);
    expect(begun.outcome).toBe(reason);
    expect(desk.clock.pending).toEqual([]);
  });

  test("comes when the round has let go of what it held", async () => {
    const desk = new Desk();
    const closed = deferred<void>();
    desk.outcomes.push(() => new Promise<Assignment>(() => {}));
    desk.lettingGo = closed.promise;
    desk.provisioner.ask("requested").catch(() => {});
    await desk.clock.advance(0);
    const ended = watch(desk.provisioner.close(new Error("over")));
    await desk.clock.advance(0);
    expect(ended.outcome).toBe("pending");
    closed.resolve();
    await desk.clock.advance(0);
    expect(ended.outcome).toBe("done");
  });

  test("waits for a connection that is being closed after its answer", async () => {
    const left = deferred<void>();
    const desk = new Desk();
    desk.leaving = left.promise;
    await desk.provisioner.ask("requested");
    const ended = watch(desk.provisioner.close(new Error("over")));
    await desk.clock.advance(minute);
    expect(ended.outcome).toBe("pending");
    left.resolve();
    await desk.clock.advance(0);
    expect(ended.outcome).toBe("done");
  });

  test("what is known is not gone to after it", async () => {
    const desk = new Desk({ known: { assignment, origin: "stored" } });
    const reason = new Error("over");
    const begun = desk.provisioner.begin({ askFirst: false });
    await desk.provisioner.close(reason);
    await expect(begun).rejects.toBe(reason);
    expect(desk.adopted).toEqual([]);
  });

  test("nobody is asked after it", async () => {
    const desk = new Desk();
    const reason = new Error("over");
    await desk.provisioner.close(reason);
    await expect(desk.provisioner.ask("requested")).rejects.toBe(reason);
    await expect(desk.provisioner.begin({ askFirst: false })).rejects.toBe(reason);
    await desk.provisioner.askAgain("hub-refused");
    expect([desk.askedAtMs, desk.told]).toEqual([[], []]);
  });
});
