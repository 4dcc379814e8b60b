import { describe, expect, test } from "vitest";
import { LandfallError } from "../../../src/errors.ts";
import { DirectMethods } from "../../../src/hub/direct-methods.ts";
import { createLogger, type LogRecord } from "../../../src/log.ts";
import { FakeClock } from "../../../src/testing/fake-clock.ts";
import type { MethodRequest, MethodResponse } from "../../../src/transport/messages.ts";

const request = (name: string): MethodRequest => ({ requestId: "1", name, payload: { level: 3 } });

function methodsWithLog(): { methods: DirectMethods; clock: FakeClock; records: LogRecord[] } {
  const clock = new FakeClock();
  const records: LogRecord[] = [];
  return {
    methods: new DirectMethods({ clock, log: createLogger("trace", (each) => records.push(each)) }),
    clock,
    records,
  };
}

describe("direct methods", () => {
  test("run their handler with the request and answer what it returns", async () => {
    const { methods } = methodsWithLog();
    methods.handle("dim", ({ payload, name }) => ({ status: 200, payload: { name, was: payload } }));
    expect(await methods.call(request("dim"))).toEqual({ status: 200, payload: { name: "dim", was: { level: 3 } } });
  });

  test("an answer without payload stays without", async () => {
    const { methods } = methodsWithLog();
    methods.handle("dim", async () => ({ status: 204 }));
    expect(await methods.call(request("dim"))).toEqual({ status: 204 });
  });

  test("a call that nobody handles is answered with 404 and its name", async () => {
    const { methods } = methodsWithLog();
    expect(await methods.call(request("dim"))).toEqual({
      status: 404,
      payload: { error: 'The device has no method "dim".' },
    });
  });

  test("a handler that throws is answered with 500, and what it threw stays in the log", async () => {
    const { methods, records } = methodsWithLog();
    methods.handle("dim", () => {
      throw new Error("password is hunter2");
    });
    methods.handle("fade", () => Promise.reject(new Error("password is hunter2")));
    for (const name of ["dim", "fade"]) {
      const answer = await methods.call(request(name));
      expect(answer).toEqual({ status: 500, payload: { error: "The method failed on the device." } });
    }
    expect(records.map(({ level, message }) => [level, message])).toEqual([
      ["error", 'the direct method "dim" failed: password is hunter2'],
      ["error", 'the direct method "fade" failed: password is hunter2'],
    ]);
  });

  test.each([
    ["nothing", undefined],
    ["no status", {}],
    ["a text as status", { status: "200" }],
    ["a payload that JSON cannot carry", { status: 200, payload: 1n }],
    ["a payload that JSON leaves out", { status: 200, payload: () => {} }],
  ])("a handler that returns %s is answered with 500", async (_, returned) => {
    const { methods, records } = methodsWithLog();
    methods.handle("dim", () => returned as unknown as MethodResponse);
    expect(await methods.call(request("dim"))).toMatchObject({ status: 500 });
    expect(records).toHaveLength(1);
  });

  test("an answer above 128 KB is answered with 500 instead", async () => {
    const { methods } = methodsWithLog();
    methods.handle("fits", () => ({ status: 200, payload: "x".repeat(131_070) }));
    methods.handle("exceeds", () => ({ status: 200, payload: "x".repeat(131_071) }));
    expect(await methods.call(request("fits"))).toMatchObject({ status: 200 });
    expect(await methods.call(request("exceeds"))).toEqual({
      status: 500,
      payload: { error: "The method's answer is larger than the service allows." },
    });
  });

  test("a handler has 30 seconds; then the answer is 504 and its signal aborts", async () => {
    const { methods, clock } = methodsWithLog();
    let signal: AbortSignal | undefined;
    methods.handle("dim", (_, options) => {
      signal = options.signal;
      return new Promise(() => {});
    });
    const answer = methods.call(request("dim"));
    await clock.advance(29_999);
    expect(signal?.aborted).toBe(false);
    await clock.advance(1);
    expect(await answer).toEqual({ status: 504, payload: { error: "The device did not finish the method in time." } });
    expect(signal?.reason).toMatchObject({ code: "hub.method-timeout" });
  });

  test("a registration can have a deadline of its own", async () => {
    const { methods, clock } = methodsWithLog();
    methods.handle("dim", () => new Promise(() => {}), { timeoutMs: 5000 });
    const answer = methods.call(request("dim"));
    await clock.advance(5000);
    expect(await answer).toMatchObject({ status: 504 });
  });

  test("a handler that throws because its time is up is answered with 504 as well", async () => {
    const { methods, clock } = methodsWithLog();
    methods.handle("dim", async (_, { signal }) => {
      await clock.sleep(60_000, { signal });
      return { status: 200 };
    });
    const answer = methods.call(request("dim"));
    await clock.advance(30_000);
    expect(await answer).toMatchObject({ status: 504 });
    expect(clock.pending).toEqual([]);
  });

  test("a quick answer leaves no timer behind", async () => {
    const { methods, clock } = methodsWithLog();
    methods.handle("dim", () => ({ status: 200 }));
    await methods.call(request("dim"));
    expect(clock.pending).toEqual([]);
  });

  test("a name has one handler, until that is disposed of", async () => {
    const { methods } = methodsWithLog();
    const first = methods.handle("dim", () => ({ status: 201 }));
    expect(() => methods.handle("dim", () => ({ status: 202 }))).toThrow(
      expect.objectContaining({ code: "hub.method-exists" }),
    );
    first[Symbol.dispose]();
    methods.handle("dim", () => ({ status: 203 }));
    first[Symbol.dispose]();
    expect(await methods.call(request("dim"))).toEqual({ status: 203 });
  });

  test("one handler can take the calls that no other is for", async () => {
    const { methods } = methodsWithLog();
    methods.handle("dim", () => ({ status: 200 }));
    const others = methods.handleOthers(({ name }) => ({ status: 299, payload: name }));
    expect(await methods.call(request("dim"))).toEqual({ status: 200 });
    expect(await methods.call(request("toString"))).toEqual({ status: 299, payload: "toString" });
    expect(() => methods.handleOthers(() => ({ status: 200 }))).toThrow(
      expect.objectContaining({ code: "hub.method-exists" }),
    );
    others[Symbol.dispose]();
    expect(await methods.call(request("toString"))).toMatchObject({ status: 404 });
  });

  test("are idle when every handler has answered", async () => {
    const { methods } = methodsWithLog();
    let answer: (response: MethodResponse) => void = () => {};
    methods.handle("dim", () => new Promise((resolve) => (answer = resolve)));
    const call = methods.call(request("dim"));
    let idle = false;
    const waiting = methods.idle().then(() => (idle = true));
    await new Promise((resolve) => setImmediate(resolve));
    expect(idle).toBe(false);
    answer({ status: 200 });
    await Promise.all([call, waiting]);
  });

  test("closing aborts running handlers, and answers them and all later calls with 503", async () => {
    const { methods } = methodsWithLog();
    let signal: AbortSignal | undefined;
    methods.handle("dim", (_, options) => {
      signal = options.signal;
      return new Promise(() => {});
    });
    const call = methods.call(request("dim"));
    const reason = new LandfallError("hub.closed", "closed");
    methods.close(reason);
    expect(signal?.reason).toBe(reason);
    expect([await call, await methods.call(request("dim"))]).toEqual(
      Array(2).fill({ status: 503, payload: { error: "The device is shutting down." } }),
    );
  });
});
