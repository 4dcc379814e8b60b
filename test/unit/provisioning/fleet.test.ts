import { beforeAll, describe, expect, test } from "vitest";
import {
  next,
  type RegistrationEffect,
  type RegistrationInput,
  type RegistrationState,
} from "../../../src/provisioning/machine.ts";
import type { DpsResponse } from "../../../src/transport/transport.ts";

/** Small, fast and the same on every run (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** What will happen to whom, in the order of its time. */
class Agenda<T extends { readonly atMs: number }> {
  readonly #heap: T[] = [];

  add(entry: T): void {
    const heap = this.#heap;
    let at = heap.push(entry) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (this.#time(parent) <= this.#time(at)) break;
      this.#swap(at, parent);
      at = parent;
    }
  }

  take(): T | undefined {
    const heap = this.#heap;
    if (heap.length === 0) return undefined;
    this.#swap(0, heap.length - 1);
    const first = heap.pop();
    for (let at = 0, child = 1; child < heap.length; child = 2 * at + 1) {
      if (this.#time(child + 1) < this.#time(child)) child += 1;
      if (this.#time(at) <= this.#time(child)) break;
      this.#swap(at, child);
      at = child;
    }
    return first;
  }

  #time(index: number): number {
    return this.#heap[index]?.atMs ?? Infinity;
  }

  #swap(one: number, other: number): void {
    const heap = this.#heap;
    const former = heap[one] as T;
    heap[one] = heap[other] as T;
    heap[other] = former;
  }
}

/** DPS as far as its limits go: so many registrations a minute, so many operations a minute, and 60 s for whoever is too many. */
class ThrottlingService {
  readonly registersPerSecond = new Map<number, number>();
  requests = 0;
  readonly #acceptedAtMs = new Map<number, number>();
  readonly #used = new Map<string, number>();

  answer(device: number, request: "register" | "status", atMs: number): DpsResponse {
    this.requests += 1;
    if (request === "register") {
      const second = Math.floor(atMs / 1000);
      this.registersPerSecond.set(second, (this.registersPerSecond.get(second) ?? 0) + 1);
    }
    const window = `${request} ${Math.floor(atMs / 60_000)}`;
    const used = this.#used.get(window) ?? 0;
    if (used >= 1000) return { status: 429, retryAfterMs: 60_000, body: '{"errorCode":429001,"message":"Throttled"}' };
    this.#used.set(window, used + 1);
    if (request === "register") this.#acceptedAtMs.set(device, atMs);
    const ready = request === "status" && atMs - (this.#acceptedAtMs.get(device) ?? atMs) > 2500;
    return ready
      ? {
          status: 200,
          body: `{"status":"assigned","registrationState":{"assignedHub":"hub-${device % 3}.example","deviceId":"${device}"}}`,
        }
      : { status: 202, retryAfterMs: 3000, body: `{"operationId":"op-${device}","status":"assigning"}` };
  }
}

interface Device {
  readonly id: number;
  readonly polledAtMs: number[];
  state: RegistrationState;
}

interface Outcome {
  readonly devices: readonly Device[];
  readonly lastAtMs: number;
}

/** A fleet that is switched on within one second: power is back in the plant. */
function simulate(size: number, service: ThrottlingService, timeoutMs: number): Outcome {
  const draw = seeded(20_260_115);
  const agenda = new Agenda<{ readonly atMs: number; readonly device: Device; readonly input: RegistrationInput }>();
  const devices = Array.from({ length: size }, (_, id): Device => ({ id, polledAtMs: [], state: { kind: "idle" } }));
  for (const device of devices) {
    const atMs = draw() * 1000;
    agenda.add({ atMs, device, input: { kind: "started", timeoutMs, atMs, draw: draw() } });
  }

  /** What the effect leads to, in a network that takes 100 ms for everything. */
  const reaction = (effect: RegistrationEffect, { id }: Device, nowMs: number): RegistrationInput | undefined => {
    const soon = { atMs: nowMs + 100, draw: draw() };
    switch (effect.kind) {
      case "connect":
        return { kind: "connected", ...soon };
      case "wait":
        return { kind: "woke", atMs: nowMs + effect.ms, draw: draw() };
      case "send-register":
        return { kind: "answered", response: service.answer(id, "register", nowMs), ...soon };
      case "send-status":
        return { kind: "answered", response: service.answer(id, "status", nowMs), ...soon };
      default:
        return undefined;
    }
  };

  let nowMs = 0;
  for (let entry = agenda.take(); entry !== undefined; entry = agenda.take()) {
    const { device, input } = entry;
    nowMs = entry.atMs;
    const step = next(device.state, input);
    if (step === undefined) continue;
    device.state = step.state;
    if (step.effect.kind === "send-status") device.polledAtMs.push(nowMs);
    const following = reaction(step.effect, device, nowMs);
    if (following) agenda.add({ atMs: following.atMs, device, input: following });
  }
  return { devices, lastAtMs: nowMs };
}

describe("ten thousand devices that are switched on at once, before a DPS that takes a thousand a minute", () => {
  const service = new ThrottlingService();
  let outcome: Outcome;
  beforeAll(() => {
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0; // nobody looks at the stacks of tens of thousands of refusals
    outcome = simulate(10_000, service, 60 * 60_000);
    Error.stackTraceLimit = stackTraceLimit;
  });

  test("are all assigned, in little more time than the service's limits make necessary", () => {
    expect(outcome.devices.filter(({ state }) => state.kind === "done")).toHaveLength(10_000);
    expect(outcome.lastAtMs / 60_000).toBeLessThan(20);
  });

  test("never poll faster than the limit", () => {
    for (const { polledAtMs } of outcome.devices) {
      for (const [index, atMs] of polledAtMs.slice(5).entries()) {
        expect(atMs - (polledAtMs[index] ?? 0)).toBeGreaterThanOrEqual(10_000);
      }
    }
  });

  test("do not come back as one wave although they were all told the same delay", () => {
    const returning = [...service.registersPerSecond].filter(([second]) => second >= 10).map(([, count]) => count);
    expect(Math.max(...returning)).toBeLessThan(500);
  });

  test("do not waste the service's time", () => {
    expect(service.requests / 10_000).toBeLessThan(15);
  });
});
