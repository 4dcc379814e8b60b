import { describe, expect, test } from "vitest";
import { type ErrorCode, LandfallError } from "../../../src/errors.ts";
import type { JsonValue } from "../../../src/json.ts";
import {
  next,
  type RegistrationEffect,
  type RegistrationInput,
  type RegistrationState,
} from "../../../src/provisioning/machine.ts";

const operationId = "4.d0a6.e717";
const timeoutMs = 300_000;

/** One registration under test: feeds inputs, keeps the time, shows the effect that is outstanding. */
class Walk {
  atMs = 50_000;
  state: RegistrationState = { kind: "idle" };
  effect: RegistrationEffect | undefined;
  readonly draw: number;

  constructor({ draw = 0.5, limitMs = timeoutMs } = {}) {
    this.draw = draw;
    this.feed({ kind: "started", timeoutMs: limitMs });
  }

  feed(input: DistributiveOmit<RegistrationInput, "atMs" | "draw">): this {
    const step = next(this.state, { ...input, atMs: this.atMs, draw: this.draw } as RegistrationInput);
    if (step === undefined) throw new Error(`${input.kind} means nothing while ${this.state.kind}`);
    this.state = step.state;
    this.effect = step.effect;
    return this;
  }

  connected(): this {
    return this.feed({ kind: "connected" });
  }

  answered(status: number, body: JsonValue, retryAfterMs?: number): this {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    return this.feed({
      kind: "answered",
      response: { status, body: text, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) },
    });
  }

  faulted(code: ErrorCode, message = "lost"): this {
    return this.feed({ kind: "faulted", error: new LandfallError(code, message) });
  }

  /** Lets the outstanding wait pass. */
  waited(): this {
    if (this.effect?.kind !== "wait") throw new Error(`not waiting but ${this.state.kind}`);
    this.atMs += this.effect.ms;
    return this.feed({ kind: "woke" });
  }

  /** As far as an accepted registration, about to poll. */
  polling(): this {
    return this.connected().answered(202, { operationId, status: "assigning" }).waited();
  }

  get error(): LandfallError {
    if (this.state.kind !== "failed") throw new Error(`not failed but ${this.state.kind}`);
    expect(this.effect).toEqual({ kind: "fail", error: this.state.error });
    return this.state.error;
  }
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

const assigned = {
  operationId,
  status: "assigned",
  registrationState: { assignedHub: "hub.example", deviceId: "dev-1", substatus: "initialAssignment" },
};
const assignment = { assignedHub: "hub.example", deviceId: "dev-1", substatus: "initialAssignment" };
const refusalBody = { errorCode: 401002, trackingId: "tracking-1", message: "told by the service" };

describe("a registration that goes well", () => {
  test("connects, registers, waits as long as it was told, polls, and finishes", () => {
    const walk = new Walk();
    expect(walk.effect).toEqual({ kind: "connect" });
    walk.connected();
    expect(walk.effect).toEqual({ kind: "send-register" });
    walk.answered(202, { operationId, status: "assigning" }, 3000);
    expect(walk.effect).toEqual({ kind: "wait", ms: 3000 });
    walk.waited();
    expect(walk.effect).toEqual({ kind: "send-status", operationId });
    walk.answered(202, { operationId, status: "assigning", registrationState: { status: "assigning" } }, 5000);
    expect(walk.effect).toEqual({ kind: "wait", ms: 5000 });
    walk.waited().answered(200, assigned);
    expect(walk.effect).toEqual({ kind: "finish", assignment });
    expect(walk.state).toEqual({ kind: "done", assignment });
  });

  test("waits 2 s between polls when the service names no delay", () => {
    expect(new Walk().polling().answered(202, { operationId, status: "assigning" }).effect).toEqual({
      kind: "wait",
      ms: 2000,
    });
  });

  test("may be assigned at once", () => {
    expect(new Walk().connected().answered(200, assigned).effect).toEqual({ kind: "finish", assignment });
  });

  test("asks on with the operation id it knows when an answer leaves it out", () => {
    expect(new Walk().polling().answered(202, { status: "assigning" }).waited().effect).toEqual({
      kind: "send-status",
      operationId,
    });
  });

  test("never polls a sixth time within 10 s, however short the named delay", () => {
    const walk = new Walk().polling();
    const polledAtMs: number[] = [];
    while (polledAtMs.length < 12) {
      if (walk.effect?.kind === "send-status") {
        polledAtMs.push(walk.atMs);
        walk.answered(202, { status: "assigning" }, 0);
      } else walk.waited();
    }
    expect(polledAtMs.map((atMs) => atMs - (polledAtMs[0] ?? 0))).toEqual([
      0, 1000, 2000, 3000, 4000, 10_000, 11_000, 12_000, 13_000, 14_000, 20_000, 21_000,
    ]);
  });

  test("a timer that fires early is set again for the rest", () => {
    const walk = new Walk().connected().answered(202, { operationId, status: "assigning" }, 3000);
    walk.atMs += 2999;
    expect(walk.feed({ kind: "woke" }).effect).toEqual({ kind: "wait", ms: 1 });
  });
});

describe("what ends a registration at once", () => {
  test.each([
    [400, "provisioning.bad-request"],
    [401, "provisioning.unauthorized"],
    [403, "provisioning.bad-request"],
    [404, "provisioning.not-found"],
    [415, "provisioning.bad-request"],
  ] as const)("a %i to the register request: %s", (status, code) => {
    const { error } = new Walk().connected().answered(status, refusalBody);
    expect(error).toMatchObject({
      code,
      message: `DPS answered ${status}: told by the service (error code 401002, tracking id tracking-1)`,
      service: { status, errorCode: 401002, trackingId: "tracking-1", message: "told by the service" },
    });
  });

  test("a 401 to a poll", () => {
    expect(new Walk().polling().answered(401, refusalBody).error.code).toBe("provisioning.unauthorized");
  });

  test("failed, with what the service told", () => {
    const registrationState = { status: "failed", errorCode: 400207, errorMessage: "Custom allocation failed" };
    const { error } = new Walk().polling().answered(200, { operationId, status: "failed", registrationState });
    expect(error).toMatchObject({
      code: "provisioning.failed",
      retry: "never",
      service: { status: 200, errorCode: 400207, message: "Custom allocation failed" },
    });
    expect(error.message).toContain("Custom allocation failed (error code 400207)");
  });

  test("disabled", () => {
    const { error } = new Walk().polling().answered(200, { operationId, status: "disabled" });
    expect(error.code).toBe("provisioning.disabled");
  });

  test.each([
    ["malformed JSON", '{"operationId":'],
    ["assigned without a hub", { status: "assigned", registrationState: { deviceId: "dev-1" } }],
  ])("%s", (_, body) => {
    expect(new Walk().polling().answered(200, body).error).toMatchObject({
      code: "provisioning.malformed-response",
      retry: "backoff",
    });
  });

  test("accepted without an operation id to ask about", () => {
    expect(new Walk().connected().answered(202, { status: "assigning" }).error.code).toBe(
      "provisioning.malformed-response",
    );
  });

  test.each(["transport.unauthorized", "key.unusable", "attestation.unexpected-challenge"] as const)("%s", (code) => {
    expect(new Walk().faulted(code).error.code).toBe(code);
  });
});

describe("what a registration gets over by itself", () => {
  test.each([409, 412, 500, 503])("a %i: the same request again after a random delay", (status) => {
    const registering = new Walk({ draw: 0.5 }).connected().answered(status, refusalBody);
    expect(registering.effect).toMatchObject({ kind: "wait", ms: 500, after: { service: { status } } });
    expect(registering.waited().effect).toEqual({ kind: "send-register" });
    const polling = new Walk({ draw: 0.5 }).polling().answered(status, refusalBody);
    expect(polling.effect).toMatchObject({ kind: "wait", ms: 500 });
    expect(polling.waited().effect).toEqual({ kind: "send-status", operationId });
  });

  test("a 429: at least the named delay, then the same request again", () => {
    const registering = new Walk({ draw: 0.25 }).connected().answered(429, refusalBody, 20_000);
    expect(registering.effect).toMatchObject({
      kind: "wait",
      ms: 25_000,
      after: { code: "provisioning.throttled", retry: "after", retryAfterMs: 25_000 },
    });
    expect(registering.waited().effect).toEqual({ kind: "send-register" });
    const polling = new Walk({ draw: 0 }).polling().answered(429, refusalBody, 20_000);
    expect(polling.effect).toMatchObject({ kind: "wait", ms: 20_000 });
    expect(polling.waited().effect).toEqual({ kind: "send-status", operationId });
  });

  test("a 429 without a named delay: a random one", () => {
    expect(new Walk({ draw: 0.5 }).connected().answered(429, "").effect).toMatchObject({ kind: "wait", ms: 6000 });
  });

  test("delays grow with failures in a row, and start over after progress", () => {
    const walk = new Walk({ draw: 0.5 }).polling();
    const delays: number[] = [];
    for (let failures = 0; failures < 4; failures++) {
      walk.answered(500, "");
      if (walk.effect?.kind === "wait") delays.push(walk.effect.ms);
      walk.waited();
    }
    expect(delays).toEqual([500, 1000, 2000, 4000]);
    walk.answered(202, { status: "assigning" }).waited().waited().answered(500, "");
    expect(walk.effect).toMatchObject({ kind: "wait", ms: 500 });
  });

  test("a lost connection before the answer to register: connects and registers again", () => {
    const walk = new Walk().connected().faulted("transport.closed");
    expect(walk.effect).toMatchObject({ kind: "wait", ms: 500, after: { code: "transport.closed" } });
    expect(walk.waited().effect).toEqual({ kind: "connect" });
    expect(walk.connected().effect).toEqual({ kind: "send-register" });
  });

  test.each(["transport.closed", "transport.timeout", "transport.protocol"] as const)(
    "%s while polling: connects again and asks about the same operation",
    (code) => {
      const walk = new Walk().polling().faulted(code).waited();
      expect(walk.effect).toEqual({ kind: "connect" });
      expect(walk.connected().effect).toEqual({ kind: "send-status", operationId });
    },
  );

  test("no route: connects again", () => {
    const walk = new Walk().faulted("endpoint.connect-failed").waited();
    expect(walk.effect).toEqual({ kind: "connect" });
  });

  test("an operation that the service has forgotten: registers again, three times", () => {
    const walk = new Walk().polling();
    for (let times = 0; times < 3; times++) {
      walk.answered(404, { errorCode: 404203, message: "Operation not found." }).waited();
      expect(walk.effect).toEqual({ kind: "send-register" });
      walk.answered(202, { operationId, status: "assigning" }).waited();
    }
    const { error } = walk.answered(404, { errorCode: 404203, message: "Operation not found." });
    expect(error).toMatchObject({ code: "provisioning.not-found", service: { errorCode: 404203 } });
  });
});

describe("a challenge", () => {
  const challenge = { message: "Unauthorized", keyName: "registration", authenticationKey: "AQIDBA==" };

  test("is answered, then the device connects with the new credential and registers again", () => {
    const walk = new Walk().connected().answered(401, challenge);
    expect(walk.effect).toEqual({ kind: "answer-challenge", blob: new Uint8Array([1, 2, 3, 4]) });
    walk.feed({ kind: "challenge-answered" });
    expect(walk.effect).toEqual({ kind: "connect" });
    expect(walk.connected().effect).toEqual({ kind: "send-register" });
  });

  test("that comes in place of a poll's answer starts the registration over", () => {
    const walk = new Walk().polling().answered(401, challenge).feed({ kind: "challenge-answered" }).connected();
    expect(walk.effect).toEqual({ kind: "send-register" });
  });

  test("is not answered for ever", () => {
    const walk = new Walk();
    for (let times = 0; times < 3; times++) {
      walk.connected().answered(401, challenge).feed({ kind: "challenge-answered" });
    }
    const { error } = walk.connected().answered(401, challenge);
    expect(error).toMatchObject({ code: "provisioning.unauthorized", service: { status: 401 } });
    expect(error.message).not.toContain("AQIDBA");
  });

  test("that cannot be answered now is asked for again, however often", () => {
    const walk = new Walk();
    for (let times = 0; times < 7; times++) {
      walk.connected().answered(401, challenge).faulted("tpm.unavailable").waited();
      expect(walk.effect).toEqual({ kind: "connect" });
    }
    expect(walk.connected().effect).toEqual({ kind: "send-register" });
  });

  test.each(["registering", "polling"] as const)("whose answer is not taken while %s is asked for anew", (asked) => {
    const walk = new Walk();
    for (let times = 1; times <= 3; times++) {
      walk.connected().answered(401, challenge).feed({ kind: "challenge-answered" }).connected();
      if (asked === "polling") walk.answered(202, { operationId, status: "assigning" }).waited();
      walk.answered(401, { errorCode: 401002 });
      if (times === 3) break;
      expect(walk.waited().effect).toEqual({ kind: "connect", anew: true });
    }
    expect(walk.error).toMatchObject({ code: "provisioning.unauthorized", service: { errorCode: 401002 } });
  });

  test("that is answered again after a lost connection does not start from the beginning", () => {
    const walk = new Walk().connected().answered(401, challenge).feed({ kind: "challenge-answered" }).connected();
    expect(walk.faulted("transport.closed").waited().effect).toEqual({ kind: "connect" });
    expect(walk.connected().answered(401, { errorCode: 401002 }).waited().effect).toEqual({
      kind: "connect",
      anew: true,
    });
    // The machine has forgotten that once it is connected.
    walk.connected().faulted("transport.closed");
    expect(walk.waited().effect).toEqual({ kind: "connect" });
  });
});

describe("the deadline", () => {
  test("ends it, and tells what it was doing and what went wrong before", () => {
    const walk = new Walk().connected().answered(503, refusalBody).waited();
    walk.atMs += timeoutMs;
    const { error } = walk.feed({ kind: "deadline" });
    expect(error).toMatchObject({
      code: "provisioning.timeout",
      cause: { code: "provisioning.service-error" },
      service: { status: 503, trackingId: "tracking-1" },
    });
    expect(error.message).toBe(
      "the registration did not finish within 300 s; it was waiting for the answer to the registration; " +
        "the last failure was: DPS answered 503: told by the service (error code 401002, tracking id tracking-1)",
    );
  });

  test("is not waited for when the next attempt would come after it", () => {
    const { error } = new Walk({ limitMs: 60_000 }).connected().answered(429, refusalBody, 120_000);
    expect(error).toMatchObject({ code: "provisioning.throttled", retryAfterMs: 150_000 });
    expect(new Walk({ limitMs: 300 }).faulted("transport.timeout").error.code).toBe("transport.timeout");
    const slow = new Walk({ limitMs: 60_000 }).connected().answered(202, { operationId, status: "assigning" }, 90_000);
    expect(slow.error.code).toBe("provisioning.timeout");
  });
});

describe("an input that means nothing in a state", () => {
  const moment = { atMs: 0, draw: 0 };

  test("is ignored", () => {
    expect(next({ kind: "idle" }, { kind: "connected", ...moment })).toBeUndefined();
    expect(next({ kind: "idle" }, { kind: "deadline", ...moment })).toBeUndefined();
    const { state } = new Walk();
    expect(next(state, { kind: "started", timeoutMs, ...moment })).toBeUndefined();
    expect(next(state, { kind: "woke", ...moment })).toBeUndefined();
  });

  test("is ignored after the end, the deadline included", () => {
    const done: RegistrationState = { kind: "done", assignment };
    expect(next(done, { kind: "deadline", ...moment })).toBeUndefined();
    expect(next(done, { kind: "answered", response: { status: 200, body: "" }, ...moment })).toBeUndefined();
  });
});
