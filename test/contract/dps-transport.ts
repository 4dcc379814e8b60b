import { describe, expect, test } from "vitest";
import type { LandfallError } from "../../src/errors.ts";
import type {
  DpsChannel,
  DpsIdentity,
  DpsRequest,
  DpsResponse,
  DpsTransport,
  Route,
} from "../../src/transport/transport.ts";

/** A DPS transport and the service at its other end, as the suite needs them. One is made for each test. */
export interface DpsHarness extends AsyncDisposable {
  readonly transport: DpsTransport;
  readonly route: Route;
  readonly identity: DpsIdentity;
  /** What the service does with the next request: answers, keeps silent, or breaks the connection. Requests come in order. */
  next(reaction: DpsResponse | "silence" | "break"): void;
  /** Makes the service refuse the next connection for its credential. */
  refuseNext(): void;
  /** Resolves with the `count`-th request (1 is the first) that the service got. */
  requested(count: number): Promise<DpsRequest>;
  /** Resolves when the service holds no connection any more. */
  idle(): Promise<void>;
}

/** Guarantees that a transport made of somebody else's parts cannot give; each is named where the suite is run over it. */
export interface DpsLimitations {
  /** It connects with the first request, so that a refusal shows there. */
  readonly connectsLate?: boolean;
  /** The service refuses a credential by its answer to a request, and a connection never. */
  readonly refusesByAnswer?: boolean;
  /** It reads answers as ASCII, and as JSON only. */
  readonly asciiJsonOnly?: boolean;
  /** Of 429 and 5xx it tells that there was one of them, and the delay. */
  readonly hidesThrottling?: boolean;
}

const register: DpsRequest = { kind: "register", body: { registrationId: "sensor-17", payload: { ä: ["€", null] } } };
const status: DpsRequest = { kind: "status", operationId: "4.d0a671905ea5b2c8.e7173b7b-0e54-4aa0-9d20-aeb1b89e6c7d" };
const accepted: DpsResponse = { status: 202, retryAfterMs: 3000, body: '{"operationId":"4.d0","status":"assigning"}' };

/** What every {@link DpsTransport} guarantees, as tests. `start` makes a harness; each test disposes of its own. */
export function describeDpsTransport(
  name: string,
  start: () => Promise<DpsHarness>,
  {
    connectsLate = false,
    refusesByAnswer = false,
    asciiJsonOnly = false,
    hidesThrottling = false,
  }: DpsLimitations = {},
): void {
  const connect = (harness: DpsHarness): Promise<DpsChannel> =>
    harness.transport.connect(harness.route, harness.identity);

  describe(`the DPS transport ${name}`, () => {
    test("carries the kind of credential that it is used with here", async () => {
      await using harness = await start();
      expect(harness.transport.abilities.credentials).toContain(harness.identity.credential?.kind);
    });

    test("hands a request over and its answer back, both as they are", async () => {
      await using harness = await start();
      await using channel = await connect(harness);
      harness.next(accepted);
      expect(await channel.request(register)).toEqual(accepted);
      expect(await harness.requested(1)).toEqual(register);
      const deviceId = asciiJsonOnly ? "a" : "ä";
      const assigned = { status: 200, body: `{"status":"assigned","registrationState":{"deviceId":"${deviceId}"}}` };
      harness.next(assigned);
      expect(await channel.request(status)).toEqual(assigned);
      expect(await harness.requested(2)).toEqual(status);
    });

    const answers = [
      { status: 401, body: '{"errorCode":401002,"message":"Unauthorized"}' },
      { status: 429, retryAfterMs: 7000, body: '{"errorCode":429001}' },
      ...(asciiJsonOnly
        ? []
        : [
            { status: 404, body: "" },
            { status: 500, body: "this is not JSON" },
          ]),
    ];
    test.each(answers)("takes a status of $status for an answer, whatever its body", async (answer) => {
      await using harness = await start();
      await using channel = await connect(harness);
      harness.next(answer);
      const expected = hidesThrottling && answer.status === 429 ? { ...answer, body: "" } : answer;
      expect(await channel.request(register)).toEqual(expected);
    });

    if (!refusesByAnswer) {
      test("rejects with a transport error when the service refuses the credential, and leaves nothing open", async () => {
        await using harness = await start();
        harness.refuseNext();
        const refused = async (): Promise<void> => {
          await using channel = await connect(harness);
          if (connectsLate) await channel.request(register);
        };
        await expect(refused()).rejects.toSatisfy(({ code }: LandfallError) => code === "transport.unauthorized");
        await harness.idle();
      });
    }

    test("rejects a request with transport.closed when the connection breaks, and every one after it", async () => {
      await using harness = await start();
      const channel = await connect(harness);
      harness.next("break");
      await expect(channel.request(register)).rejects.toMatchObject({ code: "transport.closed" });
      await expect(channel.request(status)).rejects.toMatchObject({ code: "transport.closed" });
      await channel.close();
      await harness.idle();
    });

    test("rejects with the reason of an abort, before and while it waits", async () => {
      await using harness = await start();
      const reason = new Error("enough");
      const aborted = { signal: AbortSignal.abort(reason) };
      await expect(harness.transport.connect(harness.route, harness.identity, aborted)).rejects.toBe(reason);

      await using channel = await connect(harness);
      await expect(channel.request(register, aborted)).rejects.toBe(reason);
      harness.next("silence");
      const abort = new AbortController();
      const request = channel.request(register, abort);
      request.catch(() => {});
      await harness.requested(1);
      abort.abort(reason);
      await expect(request).rejects.toBe(reason);
    });

    test("rejects what still waits with transport.closed when it is closed, and what comes after", async () => {
      await using harness = await start();
      const channel = await connect(harness);
      harness.next("silence");
      const request = channel.request(register);
      request.catch(() => {});
      await harness.requested(1);
      await channel.close();
      await expect(request).rejects.toMatchObject({ code: "transport.closed" });
      await expect(channel.request(status)).rejects.toMatchObject({ code: "transport.closed" });
    });

    test("closes once, however often it is asked to, and leaves nothing open", async () => {
      await using harness = await start();
      const channel = await connect(harness);
      await Promise.all([channel.close(), channel.close()]);
      await channel[Symbol.asyncDispose]();
      await harness.idle();
    });

    test("opens one channel after the other", async () => {
      await using harness = await start();
      for (let round = 0; round < 2; round++) {
        await using channel = await connect(harness);
        harness.next(accepted);
        expect(await channel.request(register)).toEqual(accepted);
      }
      await harness.idle();
    });
  });
}
