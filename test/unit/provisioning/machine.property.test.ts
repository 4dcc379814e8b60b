import { inspect } from "node:util";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type ErrorCode, errorTable, LandfallError } from "../../../src/errors.ts";
import {
  next,
  type RegistrationEffect,
  type RegistrationInput,
  type RegistrationState,
} from "../../../src/provisioning/machine.ts";
import type { DpsResponse } from "../../../src/transport/transport.ts";

const blob = "c2VjcmV0IGFjdGl2YXRpb24gYmxvYg==";
const timeoutMs = 300_000;

const body = fc.oneof(
  { weight: 6, arbitrary: fc.constant('{"operationId":"op-1","status":"assigning"}') },
  fc.constant('{"status":"assigning"}'),
  fc.constant(`{"status":"assigned","registrationState":{"assignedHub":"hub.example","deviceId":"d"}}`),
  fc.constant(`{"status":"assigned","registrationState":{"tpm":{"authenticationKey":"${blob}"}}}`),
  fc.constant('{"status":"failed","registrationState":{"errorCode":400207}}'),
  fc.constant(`{"authenticationKey":"${blob}","keyName":"registration"}`),
  fc.constant(`{"authenticationKey":"${blob}`),
  fc.json(),
);
const response: fc.Arbitrary<DpsResponse> = fc.record(
  {
    status: fc.oneof(fc.constantFrom(200, 202, 202, 202, 401, 404, 412, 429, 500), fc.integer({ min: 0, max: 700 })),
    body,
    retryAfterMs: fc.oneof(fc.integer({ min: -1000, max: 20_000 }), fc.double()),
  },
  { requiredKeys: ["status", "body"] },
);
const error = fc
  .oneof(
    { weight: 4, arbitrary: fc.constantFrom<ErrorCode>("transport.closed", "transport.timeout") },
    fc.constantFrom(...(Object.keys(errorTable) as ErrorCode[])),
  )
  .map((code) => new LandfallError(code, "made by a test"));

/** What the world does next: how long it takes, what it says, and how the dice fall. */
const event = fc.record({
  takesMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 3000 })),
  draw: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  response,
  error: fc.option(error, { freq: 4 }),
  /** An input that nobody asked for. */
  noise: fc.option(fc.constantFrom("started", "connected", "answered", "challenge-answered", "woke"), { freq: 3 }),
});
type Event = typeof event extends fc.Arbitrary<infer T> ? T : never;

const effectsOf: Record<RegistrationState["kind"], RegistrationEffect["kind"] | undefined> = {
  idle: undefined,
  connecting: "connect",
  registering: "send-register",
  challenged: "answer-challenge",
  waiting: "wait",
  polling: "send-status",
  done: "finish",
  failed: "fail",
};

interface History {
  readonly polledAtMs: number[];
  readonly state: RegistrationState;
  readonly finishedAtMs: number;
}

/** Plays the events; after the last one the world is silent until the deadline. */
function play(events: readonly Event[]): History {
  const polledAtMs: number[] = [];
  let atMs = 0;
  let step = next({ kind: "idle" }, { kind: "started", timeoutMs, atMs, draw: 0 });
  for (const { takesMs, draw, response, error, noise } of events) {
    if (step === undefined) throw new Error("an effect under way got no answer");
    const { state, effect } = step;
    expect(effect.kind).toBe(effectsOf[state.kind]);
    if (state.kind === "done" || state.kind === "failed") break;
    if (effect.kind === "send-status") polledAtMs.push(atMs);
    const answer = answerTo(effect, response, error ?? undefined);
    if (noise !== null && noise !== answerTo(effect, response, undefined).kind) {
      const unasked = { kind: noise, response, timeoutMs, atMs, draw } as RegistrationInput;
      expect(next(state, unasked)).toBeUndefined();
    }
    atMs = Math.min(timeoutMs, atMs + (effect.kind === "wait" ? effect.ms : takesMs));
    step = next(state, atMs < timeoutMs ? { ...answer, atMs, draw } : { kind: "deadline", atMs, draw });
  }
  if (step === undefined) throw new Error("an effect under way got no answer");
  if (step.state.kind !== "done" && step.state.kind !== "failed") {
    step = next(step.state, { kind: "deadline", atMs: timeoutMs, draw: 0 });
  }
  if (step === undefined) throw new Error("the deadline was ignored");
  return { polledAtMs, state: step.state, finishedAtMs: atMs };
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

function answerTo(
  effect: RegistrationEffect,
  response: DpsResponse,
  error: LandfallError | undefined,
): DistributiveOmit<RegistrationInput, "atMs" | "draw"> {
  if (effect.kind === "wait") return { kind: "woke" };
  if (error !== undefined) return { kind: "faulted", error };
  if (effect.kind === "connect") return { kind: "connected" };
  if (effect.kind === "answer-challenge") return { kind: "challenge-answered" };
  return { kind: "answered", response };
}

const events = fc.array(event, { maxLength: 60, size: "max" });

describe("whatever DPS and the network do", () => {
  test("there is one effect at a time, unasked inputs are ignored, and the end is done or failed", () => {
    fc.assert(
      fc.property(events, (events) => {
        expect(["done", "failed"]).toContain(play(events).state.kind);
      }),
    );
  });

  test("there are never more than five polls in ten seconds", () => {
    const eager = fc.array(
      fc.record({
        takesMs: fc.integer({ min: 0, max: 50 }),
        draw: fc.double({ min: 0, max: 0.2, noNaN: true }),
        response: fc.constantFrom<DpsResponse>(
          { status: 202, retryAfterMs: 0, body: '{"operationId":"op-1","status":"assigning"}' },
          { status: 500, body: "" },
        ),
        error: fc.option(fc.constant(new LandfallError("transport.closed", "made by a test")), { freq: 3 }),
        noise: fc.constant(null),
      }),
      { minLength: 30, maxLength: 80, size: "max" },
    );
    fc.assert(
      fc.property(fc.oneof(events, eager), (events) => {
        const { polledAtMs } = play(events);
        polledAtMs.forEach((atMs, index) => {
          const sixth = polledAtMs[index + 5];
          if (sixth !== undefined) expect(sixth - atMs).toBeGreaterThanOrEqual(10_000);
        });
      }),
    );
  });

  test("nothing means anything after the end", () => {
    fc.assert(
      fc.property(events, event, (events, { response, draw }) => {
        const { state, finishedAtMs: atMs } = play(events);
        for (const kind of ["started", "connected", "answered", "challenge-answered", "woke", "deadline"] as const) {
          expect(next(state, { kind, response, timeoutMs, atMs, draw } as RegistrationInput)).toBeUndefined();
        }
      }),
    );
  });

  test("no error holds an activation blob", () => {
    fc.assert(
      fc.property(events, (events) => {
        const { state } = play(events);
        if (state.kind === "failed") {
          expect(inspect(state.error, { depth: 9 }) + JSON.stringify(state.error)).not.toContain(blob.slice(0, 20));
        }
      }),
    );
  });
});
