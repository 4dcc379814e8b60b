import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LandfallError } from "../../../src/errors.ts";
import {
  type ConnectionEffect,
  type ConnectionEvent,
  type ConnectionState,
  next,
} from "../../../src/hub/connection-machine.ts";
import { resolveOptions } from "../../../src/hub/options.ts";

const policy = resolveOptions();
const second = 1000;
const minute = 60_000;

const unauthorized = new LandfallError("transport.unauthorized", "refused");
const unavailable = new LandfallError("transport.unavailable", "busy");
const peerClosed = new LandfallError("transport.closed", "closed");
const networkFailed = new LandfallError("transport.closed", "closed", { cause: new Error("ECONNRESET") });

/** A machine with a time of its own, in the hands of a test. */
class Journey {
  state: ConnectionState = { kind: "idle" };
  atMs = 0;
  readonly draw: number;
  /** The delay until the next attempt, when there is one. */
  #delayMs = 0;

  /** @param draw the random number that every input brings */
  constructor(draw = 1) {
    this.draw = draw;
  }

  /** Hands in an event `afterMs` later and returns the effects; none when it means nothing here. */
  tell(event: ConnectionEvent, afterMs = 0): readonly ConnectionEffect[] {
    this.atMs += afterMs;
    const step = next(this.state, { ...event, atMs: this.atMs, draw: this.draw }, policy);
    this.state = step?.state ?? this.state;
    return step?.effects ?? [];
  }

  /** Connects, from idle or from a timer that has run. */
  connect(): this {
    this.#attempt();
    this.tell({ kind: "connected" });
    return this;
  }

  /** The connection ends `afterMs` after it was made. Returns the delay until the next attempt. */
  end(error: Error, afterMs: number, ours = false): number {
    this.#delayMs = delayOf(this.tell({ kind: "ended", error, ours }, afterMs));
    return this.#delayMs;
  }

  /** The attempt fails. Returns the delay until the next one. */
  fail(error: Error): number {
    this.#attempt();
    this.#delayMs = delayOf(this.tell({ kind: "connect-failed", error }));
    return this.#delayMs;
  }

  #attempt(): void {
    if (this.state.kind === "idle") this.tell({ kind: "start" });
    else if (this.state.kind !== "connecting") this.tell({ kind: "timer" }, this.#delayMs);
  }
}

function delayOf(effects: readonly ConnectionEffect[]): number {
  const wait = effects.find((effect) => effect.kind === "wait");
  if (!wait) throw new Error(`no wait among ${effects.map(({ kind }) => kind).join(", ")}`);
  return wait.delayMs;
}

const kinds = (effects: readonly ConnectionEffect[]): string[] => effects.map(({ kind }) => kind);

describe("the connection machine, trying", () => {
  test("backs off exponentially up to the cap while attempts fail", () => {
    const journey = new Journey();
    const delays = Array.from({ length: 8 }, () => journey.fail(unavailable) / second);
    expect(delays).toEqual([1, 2, 4, 8, 16, 32, 60, 60]);
  });

  test("draws the delay from zero to the bound", () => {
    expect(new Journey(0).fail(unavailable)).toBe(0);
    expect(new Journey(0.5).fail(unavailable)).toBe(500);
  });

  test("waits at least as long as the peer asked", () => {
    const busy = new LandfallError("transport.unavailable", "busy", { retryAfterMs: 30 * second });
    expect(new Journey(0).fail(busy)).toBe(30 * second);
    expect(new Journey(1).fail(busy)).toBe(31 * second);
  });

  test("starts the backoff over once a connection has held for a minute", () => {
    const journey = new Journey();
    for (let failure = 0; failure < 5; failure++) journey.fail(unavailable);
    expect(journey.connect().end(networkFailed, minute) / second).toBe(1);
  });

  test("goes on backing off while connections drop before they have proved themselves", () => {
    const journey = new Journey();
    const delays = Array.from({ length: 5 }, () => journey.connect().end(networkFailed, second) / second);
    expect(delays).toEqual([1, 2, 4, 8, 16]);
  });
});

describe("the connection machine, asking for provisioning", () => {
  test.each([
    ["transport.unauthorized", unauthorized],
    ["transport.identifier-rejected", new LandfallError("transport.identifier-rejected", "who")],
    ["a refusal of class 403", new LandfallError("transport.refused", "no", { service: { status: 403 } })],
    ["a refusal of class 404", new LandfallError("transport.refused", "no", { service: { status: 404 } })],
  ])("does so at %s, and goes on trying", (_, error) => {
    const journey = new Journey();
    journey.tell({ kind: "start" });
    const effects = journey.tell({ kind: "connect-failed", error });
    expect(effects).toContainEqual({ kind: "ask-provisioning", reason: "refused", error, failures: 1 });
    expect(journey.state.kind).toBe("waiting");
    expect(kinds(journey.tell({ kind: "timer" }))).toEqual(["connect"]);
  });

  test("does so at every tenth attempt that failed in a row, whatever the reason", () => {
    const journey = new Journey();
    journey.tell({ kind: "start" });
    const asked: number[] = [];
    for (let attempt = 1; attempt <= 30; attempt++) {
      const effects = journey.tell({ kind: "connect-failed", error: unavailable });
      if (effects.some(({ kind }) => kind === "ask-provisioning")) asked.push(attempt);
      journey.tell({ kind: "timer" });
    }
    expect(asked).toEqual([10, 20, 30]);
  });

  test("an accepted connection ends the row", () => {
    const journey = new Journey();
    for (let failure = 0; failure < 9; failure++) journey.fail(unavailable);
    journey.connect().end(networkFailed, second);
    journey.tell({ kind: "timer" });
    expect(kinds(journey.tell({ kind: "connect-failed", error: unavailable }))).toEqual(["wait"]);
  });

  test("does not do so when the service is busy or the line is bad", () => {
    for (const error of [unavailable, networkFailed, new LandfallError("endpoint.connect-failed", "no route")]) {
      const journey = new Journey();
      journey.tell({ kind: "start" });
      expect(kinds(journey.tell({ kind: "connect-failed", error }))).toEqual(["wait"]);
    }
  });
});

describe("the connection machine, thrown out", () => {
  /** Ends three connections, each `livedMs` after it was made, and returns the effects of the third end. */
  function threeEnds(error: Error, { livedMs = second, ours = false, pauseMs = 0 } = {}): readonly ConnectionEffect[] {
    const journey = new Journey(0);
    for (let end = 0; end < 2; end++) {
      journey.connect().end(error, livedMs, ours);
      journey.atMs += pauseMs;
    }
    return journey.connect().tell({ kind: "ended", error, ours }, livedMs);
  }

  test("calls it displacement when the peer has closed three young connections in a row", () => {
    const effects = threeEnds(peerClosed);
    expect(kinds(effects)).toEqual(["lose", "report-displaced", "wait"]);
    expect(delayOf(effects)).toBe(2.5 * minute);
  });

  test("does not when the network failed", () => {
    expect(kinds(threeEnds(networkFailed))).toEqual(["lose", "wait"]);
  });

  test("does not when what we sent is the likely reason", () => {
    expect(kinds(threeEnds(peerClosed, { ours: true }))).toEqual(["lose", "wait"]);
  });

  test("does not when the connections had held for a while", () => {
    expect(kinds(threeEnds(peerClosed, { livedMs: minute }))).toEqual(["lose", "wait"]);
  });

  test("does not when the three are further apart than the window", () => {
    expect(kinds(threeEnds(peerClosed, { pauseMs: 6 * minute }))).toEqual(["lose", "wait"]);
  });

  test("does not when a failed attempt lies between", () => {
    const journey = new Journey(0);
    journey.connect().end(peerClosed, second);
    journey.connect().end(peerClosed, second);
    journey.fail(unavailable);
    expect(kinds(journey.connect().tell({ kind: "ended", error: peerClosed, ours: false }, second))).toEqual([
      "lose",
      "wait",
    ]);
  });

  test("after that one more is enough, and the delay doubles up to half an hour", () => {
    const journey = new Journey(1);
    journey.connect().end(peerClosed, second);
    journey.connect().end(peerClosed, second);
    const delays = Array.from({ length: 5 }, () => journey.connect().end(peerClosed, second) / minute);
    expect(delays).toEqual([5, 10, 20, 30, 30]);
  });

  test("a connection that holds forgets it all", () => {
    const journey = new Journey(1);
    for (let end = 0; end < 3; end++) journey.connect().end(peerClosed, second);
    expect(journey.state.kind).toBe("displaced");
    expect(journey.connect().end(peerClosed, minute)).toBe(second);
    expect(journey.connect().end(peerClosed, second)).toBe(2 * second);
  });
});

describe("the connection machine, replacing a connection", () => {
  test.each([
    [{ kind: "renewal-due" }, "renewal"],
    [{ kind: "subscriptions-changed" }, "subscriptions"],
    [{ kind: "moved" }, "move"],
  ] as const)("at %o retires the old one first, then connects at once", (event, cause) => {
    const journey = new Journey().connect();
    expect(journey.tell(event)).toEqual([{ kind: "retire", purpose: "replace" }]);
    expect(journey.tell({ kind: "retired" })).toEqual([{ kind: "connect", cause }]);
    expect(journey.tell({ kind: "connected" })).toEqual([{ kind: "serve", cause }]);
  });

  test("tells of the loss only when the new connection fails", () => {
    const journey = new Journey().connect();
    journey.tell({ kind: "renewal-due" });
    journey.tell({ kind: "retired" });
    expect(kinds(journey.tell({ kind: "connect-failed", error: unavailable }))).toEqual(["lose", "wait"]);
    journey.tell({ kind: "timer" });
    expect(kinds(journey.tell({ kind: "connect-failed", error: unavailable }))).toEqual(["wait"]);
  });

  test("a move cancels an attempt under way and connects anew once that has ended", () => {
    const journey = new Journey();
    journey.tell({ kind: "start" });
    expect(kinds(journey.tell({ kind: "moved" }))).toEqual(["cancel-connect"]);
    expect(journey.tell({ kind: "connect-failed", error: peerClosed })).toEqual([{ kind: "connect", cause: "move" }]);
  });

  test("a move retires a connection that was quicker than its cancellation", () => {
    const journey = new Journey();
    journey.tell({ kind: "start" });
    journey.tell({ kind: "moved" });
    expect(journey.tell({ kind: "connected" })).toEqual([{ kind: "retire", purpose: "replace" }]);
    expect(journey.tell({ kind: "retired" })).toEqual([{ kind: "connect", cause: "move" }]);
  });

  test("a move ends a wait and forgets the setbacks", () => {
    const journey = new Journey();
    for (let failure = 0; failure < 5; failure++) journey.fail(unavailable);
    expect(kinds(journey.tell({ kind: "moved" }))).toEqual(["cancel-wait", "connect"]);
    expect(delayOf(journey.tell({ kind: "connect-failed", error: unavailable }))).toBe(second);
  });

  test("a renewal of an unproven connection does not forget the setbacks", () => {
    const journey = new Journey();
    for (let failure = 0; failure < 3; failure++) journey.fail(unavailable);
    journey.connect().tell({ kind: "renewal-due" }, second);
    journey.tell({ kind: "retired" });
    expect(delayOf(journey.tell({ kind: "connect-failed", error: unavailable }))).toBe(8 * second);
  });
});

/** What an effect sets going, and the events that may answer it. */
type Operation = "attempt" | "connection" | "retirement" | "timer";

const awaitedIn: Record<ConnectionState["kind"], readonly (Operation | "start" | "nothing")[]> = {
  idle: ["start"],
  connecting: ["attempt"],
  connected: ["connection"],
  renewing: ["retirement"],
  waiting: ["timer"],
  displaced: ["timer"],
  stopping: ["attempt", "retirement"],
  stopped: ["nothing"],
};

const answers: Record<Operation, readonly ConnectionEvent[]> = {
  attempt: [
    { kind: "connected" },
    { kind: "connect-failed", error: unavailable },
    { kind: "connect-failed", error: unauthorized },
  ],
  connection: [
    { kind: "ended", error: peerClosed, ours: false },
    { kind: "ended", error: networkFailed, ours: false },
    { kind: "renewal-due" },
  ],
  retirement: [{ kind: "retired" }],
  timer: [{ kind: "timer" }],
};

const commands: readonly ConnectionEvent[] = [
  { kind: "start" },
  { kind: "moved" },
  { kind: "subscriptions-changed" },
  { kind: "stop", abrupt: false },
  { kind: "stop", abrupt: true },
];

/** Carries out effects as a runner would, and complains when one contradicts what is under way. */
class World {
  readonly journey = new Journey(0.5);
  readonly underWay = new Set<Operation>();
  /** A connection exists, used or not. */
  connection = false;

  tell(event: ConnectionEvent): void {
    const answered = (Object.keys(answers) as Operation[]).find((each) => answers[each].includes(event));
    if (answered) {
      this.underWay.delete(answered);
      if (event.kind === "renewal-due") this.underWay.add("connection");
    }
    if (event.kind === "connected") this.connection = true;
    if (event.kind === "ended" || event.kind === "retired") this.connection = false;
    for (const { kind } of this.journey.tell(event, 10 * second)) this.#carryOut(kind);
  }

  /** Answers whatever is under way until the machine has stopped. */
  finish(): void {
    this.tell({ kind: "stop", abrupt: false });
    for (let steps = 0; this.journey.state.kind !== "stopped"; steps++) {
      expect(steps).toBeLessThan(3);
      const [operation] = this.underWay;
      if (!operation) throw new Error(`stuck in ${this.journey.state.kind}`);
      this.tell(answers[operation][0] as ConnectionEvent);
    }
    expect([...this.underWay]).toEqual([]);
    expect(this.connection).toBe(false);
  }

  #carryOut(effect: ConnectionEffect["kind"]): void {
    switch (effect) {
      case "connect":
        expect([...this.underWay, this.connection]).toEqual([false]);
        this.underWay.add("attempt");
        break;
      case "serve":
        expect(this.connection).toBe(true);
        this.underWay.add("connection");
        break;
      case "retire":
        expect(this.connection).toBe(true);
        this.underWay.delete("connection");
        this.underWay.add("retirement");
        break;
      case "wait":
        expect([...this.underWay]).toEqual([]);
        this.underWay.add("timer");
        break;
      case "cancel-wait":
        expect(this.underWay.delete("timer")).toBe(true);
        break;
      case "cancel-connect":
        expect(this.underWay.has("attempt")).toBe(true);
        break;
      default:
    }
  }

  /** Every state waits for exactly one thing, and that is under way. */
  check(): void {
    const { kind } = this.journey.state;
    const expected = awaitedIn[kind];
    if (expected.includes("start") || expected.includes("nothing")) {
      expect([...this.underWay]).toEqual([]);
      return;
    }
    expect(this.underWay.size).toBe(1);
    expect(expected).toContain([...this.underWay][0]);
  }
}

describe("the connection machine, whatever happens", () => {
  const choices = fc.array(fc.tuple(fc.boolean(), fc.nat()), { maxLength: 40 });

  function play(choicesMade: readonly (readonly [boolean, number])[]): World {
    const world = new World();
    for (const [command, choice] of choicesMade) {
      const possible = command ? commands : [...world.underWay].flatMap((operation) => answers[operation]);
      const event = possible[choice % Math.max(1, possible.length)];
      if (event) world.tell(event);
      world.check();
    }
    return world;
  }

  test("never has two connections or attempts, and always waits for exactly one thing", () => {
    fc.assert(
      fc.property(choices, (made) => void play(made)),
      { numRuns: 500 },
    );
  });

  test("a stop always ends it, and leaves nothing behind", () => {
    fc.assert(
      fc.property(choices, (made) => play(made).finish()),
      { numRuns: 500 },
    );
  });

  test("answers to what is not under way change nothing", () => {
    fc.assert(
      fc.property(choices, fc.nat(), (made, choice) => {
        const world = play(made);
        const strays = (Object.keys(answers) as Operation[])
          .filter((operation) => !world.underWay.has(operation))
          .flatMap((operation) => answers[operation]);
        const { state } = world.journey;
        const stray = strays[choice % strays.length] as ConnectionEvent;
        expect(next(state, { ...stray, atMs: world.journey.atMs, draw: 0 }, policy)).toBeUndefined();
      }),
      { numRuns: 300 },
    );
  });
});
