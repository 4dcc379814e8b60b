import { describe, expect, test } from "vitest";
import { deferred } from "../../src/deferred.ts";
import type { LandfallError } from "../../src/errors.ts";
import type { JsonObject, JsonValue } from "../../src/json.ts";
import type { CloudMessage, DesiredPatch, MethodRequest, TelemetryMessage } from "../../src/transport/messages.ts";
import type { HubConnection, HubHandlers, HubIdentity, HubTransport, Route } from "../../src/transport/transport.ts";

/** A hub transport and the hub at its other end, as the suite needs them. One is made for each test. */
export interface HubHarness extends AsyncDisposable {
  readonly transport: HubTransport;
  readonly route: Route;
  readonly identity: HubIdentity;
  /** Resolves with the `count`-th telemetry message (1 is the first) that the hub got. */
  telemetry(count: number): Promise<TelemetryMessage>;
  /** From now on telemetry is acknowledged only by {@link acknowledge}. */
  holdAcknowledgements(): void;
  /** Acknowledges the oldest telemetry message that waits. */
  acknowledge(): void;
  /** Sends a message to the device. Resolves with whether it was acknowledged, or that the connection ended before. */
  deliver(message: Omit<CloudMessage, "payload"> & { readonly payload: string }): Promise<boolean>;
  invoke(name: string, payload?: JsonValue): Promise<{ readonly status: number; readonly payload?: JsonValue }>;
  setTwin(twin: { readonly desired: JsonObject; readonly reported: JsonObject }): void;
  /** Changes desired properties and pushes the change. */
  pushDesired(patch: JsonObject): void;
  /** Makes the hub refuse the next connection for its credential. */
  refuseNext(): void;
  /** Makes the hub answer the next twin operation with this status. */
  refuseTwin(status: number): void;
  /** Breaks the newest connection. */
  breakConnection(): void;
  /** Resolves when the hub holds no connection any more. */
  idle(): Promise<void>;
}

/** Guarantees that a transport made of somebody else's parts cannot give; each is named where the suite is run over it. */
export interface HubLimitations {
  /** It acknowledges a cloud-to-device message as soon as it arrives, whatever the handler makes of it. */
  readonly acknowledgesOnArrival?: boolean;
  /** Of a refused twin operation it tells the hub's words, not the status, so that every refusal looks final. */
  readonly hidesTwinStatus?: boolean;
  /** What stands in for the hub acknowledges telemetry by itself, so that nothing can be held back. */
  readonly acknowledgesByItself?: boolean;
}

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));
const hello: TelemetryMessage = { payload: bytes("hello") };

/** What every {@link HubTransport} guarantees, as tests. `start` makes a harness; each test disposes of its own. */
export function describeHubTransport(
  name: string,
  start: () => Promise<HubHarness>,
  { acknowledgesOnArrival = false, hidesTwinStatus = false, acknowledgesByItself = false }: HubLimitations = {},
): void {
  const connect = (harness: HubHarness, handlers: HubHandlers = {}): Promise<HubConnection> =>
    harness.transport.connect(harness.route, harness.identity, handlers);

  describe(`the hub transport ${name}`, () => {
    describe("a connection", () => {
      test("carries the kind of credential that it is used with here", async () => {
        await using harness = await start();
        expect(harness.transport.abilities.credentials).toContain(harness.identity.credential.kind);
      });

      test("is refused with a transport error when the hub does not accept the credential, and nothing stays open", async () => {
        await using harness = await start();
        harness.refuseNext();
        await expect(connect(harness)).rejects.toSatisfy(
          ({ code }: LandfallError) => code === "transport.unauthorized",
        );
        await harness.idle();
      });

      test("is not made for a caller who has aborted", async () => {
        await using harness = await start();
        const signal = AbortSignal.abort(new Error("enough"));
        const connecting = harness.transport.connect(harness.route, harness.identity, {}, { signal });
        await expect(connecting).rejects.toBe(signal.reason);
      });

      test("ends without a reason when it is closed, however often, and leaves nothing open", async () => {
        await using harness = await start();
        const connection = await connect(harness);
        await Promise.all([connection.close(), connection.close()]);
        await connection[Symbol.asyncDispose]();
        expect(await connection.ended).toBeUndefined();
        await harness.idle();
      });

      test("ends with the reason it is destroyed for", async () => {
        await using harness = await start();
        const connection = await connect(harness);
        const reason = new Error("enough");
        connection.destroy(reason);
        expect(await connection.ended).toBe(reason);
        await connection.close();
        await harness.idle();
      });

      test("ends with a reason when it breaks; what waits and what comes after rejects with transport.closed", async () => {
        await using harness = await start();
        const connection = await connect(harness);
        if (!acknowledgesByItself) harness.holdAcknowledgements();
        const sending = connection.sendTelemetry(hello);
        sending.catch(() => {});
        await harness.telemetry(1);
        harness.breakConnection();
        expect(await connection.ended).toMatchObject({ code: "transport.closed" });
        if (!acknowledgesByItself) await expect(sending).rejects.toMatchObject({ code: "transport.closed" });
        await expect(connection.sendTelemetry(hello)).rejects.toMatchObject({ code: "transport.closed" });
        await expect(connection.getTwin()).rejects.toMatchObject({ code: "transport.closed" });
        await connection.close();
      });
    });

    describe("telemetry", () => {
      test("arrives as it was sent", async () => {
        await using harness = await start();
        await using connection = await connect(harness);
        const message: TelemetryMessage = {
          payload: new Uint8Array([0, 255, 13, 10]),
          properties: { "a b": "c&d=e/é", empty: "", "#": "+" },
          messageId: "1/2 ä",
          correlationId: "c",
          contentType: "application/json",
          contentEncoding: "utf-8",
          component: "thermostat1",
        };
        await connection.sendTelemetry(message);
        const { payload, ...rest } = await harness.telemetry(1);
        expect(Buffer.from(payload)).toEqual(Buffer.from(message.payload));
        expect({ payload: message.payload, ...rest }).toEqual(message);
      });

      const testHolding = acknowledgesByItself ? () => {} : test;

      testHolding("resolves with the acknowledgement, not before", async () => {
        await using harness = await start();
        await using connection = await connect(harness);
        harness.holdAcknowledgements();
        const order: string[] = [];
        const first = connection.sendTelemetry(hello).then(() => order.push("first"));
        const second = connection.sendTelemetry(hello).then(() => order.push("second"));
        await harness.telemetry(2);
        expect(order).toEqual([]);
        harness.acknowledge();
        await first;
        expect(order).toEqual(["first"]);
        harness.acknowledge();
        await second;
      });

      test("that is too large is refused on this side, and the connection goes on", async () => {
        await using harness = await start();
        await using connection = await connect(harness);
        const refused = { code: "transport.message-too-large" };
        const room = { payload: new Uint8Array(262_144 - 3), messageId: "id" };
        await expect(connection.sendTelemetry({ payload: new Uint8Array(262_145) })).rejects.toMatchObject(refused);
        await expect(connection.sendTelemetry({ ...room, properties: { a: "b" } })).rejects.toMatchObject(refused);
        await connection.sendTelemetry(room);
        expect((await harness.telemetry(1)).payload).toHaveLength(room.payload.length);
      });

      testHolding("stops being waited for when the caller aborts, and the connection goes on", async () => {
        await using harness = await start();
        await using connection = await connect(harness);
        harness.holdAcknowledgements();
        const abort = new AbortController();
        const sending = connection.sendTelemetry(hello, abort);
        sending.catch(() => {});
        await harness.telemetry(1);
        const reason = new Error("enough");
        abort.abort(reason);
        await expect(sending).rejects.toBe(reason);
        const next = connection.sendTelemetry(hello);
        await harness.telemetry(2);
        harness.acknowledge();
        harness.acknowledge();
        await next;
      });
    });

    describe("a cloud-to-device message", () => {
      test("reaches the handler as it was sent", async () => {
        await using harness = await start();
        const got = deferred<CloudMessage>();
        await using _ = await connect(harness, { onMessage: async (message) => got.resolve(message) });
        const sent = { properties: { "a b": "c&d", empty: "" }, messageId: "m/1", correlationId: "c", ack: "full" };
        expect(await harness.deliver({ ...sent, payload: "hällo" })).toBe(true);
        const { payload, ...rest } = await got.promise;
        expect({ ...rest, payload: Buffer.from(payload).toString() }).toEqual({ ...sent, payload: "hällo" });
      });

      if (acknowledgesOnArrival) {
        test("is acknowledged on arrival, also when the handler rejects", async () => {
          await using harness = await start();
          await using _ = await connect(harness, { onMessage: async () => Promise.reject(new Error("not now")) });
          expect(await harness.deliver({ payload: "", properties: {} })).toBe(true);
        });
      } else {
        test("is acknowledged when the handler has finished, and all else goes on", async () => {
          await using harness = await start();
          const handling = deferred<void>();
          await using connection = await connect(harness, {
            onMessage: () => handling.promise,
            onMethod: async () => ({ status: 200 }),
          });
          let acknowledged = false;
          const delivered = harness.deliver({ payload: "", properties: {} });
          void delivered.then((result) => {
            acknowledged = result;
          });
          expect(await harness.invoke("anything")).toEqual({ status: 200 });
          await connection.sendTelemetry(hello);
          await connection.getTwin();
          expect(acknowledged).toBe(false);
          handling.resolve();
          expect(await delivered).toBe(true);
        });

        test("is not acknowledged when the handler rejects", async () => {
          await using harness = await start();
          const connection = await connect(harness, { onMessage: async () => Promise.reject(new Error("not now")) });
          const delivered = harness.deliver({ payload: "", properties: {} });
          await connection.getTwin();
          await connection.close();
          expect(await delivered).toBe(false);
        });
      }

      test("that is being handled is still acknowledged when the connection is closed", async () => {
        await using harness = await start();
        const handling = deferred<void>();
        const started = deferred<void>();
        const connection = await connect(harness, {
          onMessage: () => {
            started.resolve();
            return handling.promise;
          },
        });
        const delivered = harness.deliver({ payload: "", properties: {} });
        await started.promise;
        const closing = connection.close();
        handling.resolve();
        await closing;
        expect(await delivered).toBe(true);
        expect(await connection.ended).toBeUndefined();
      });
    });

    describe("a direct method", () => {
      test("reaches the handler, and its answer the caller", async () => {
        await using harness = await start();
        const got: MethodRequest[] = [];
        await using _ = await connect(harness, {
          onMethod: async (request) => {
            got.push(request);
            return { status: 207, payload: { echo: request.payload } };
          },
        });
        expect(await harness.invoke("reboot", { delay: 3 })).toEqual({ status: 207, payload: { echo: { delay: 3 } } });
        expect(got).toMatchObject([{ name: "reboot", payload: { delay: 3 } }]);
      });

      test("without a payload brings null, and may be answered without one", async () => {
        await using harness = await start();
        const got: MethodRequest[] = [];
        await using _ = await connect(harness, {
          onMethod: async (request) => {
            got.push(request);
            return { status: 200 };
          },
        });
        expect(await harness.invoke("reboot")).toEqual({ status: 200 });
        expect(got).toMatchObject([{ name: "reboot", payload: null }]);
      });

      test("whose answer is too large is answered with a 500 that says so", async () => {
        await using harness = await start();
        await using _ = await connect(harness, {
          onMethod: async () => ({ status: 200, payload: "x".repeat(131_072) }),
        });
        expect(await harness.invoke("dump")).toMatchObject({
          status: 500,
          payload: { message: expect.stringContaining("131074") },
        });
      });

      test("that is under way is still answered when the connection is closed", async () => {
        await using harness = await start();
        const started = deferred<void>();
        const answer = deferred<{ status: number }>();
        const connection = await connect(harness, {
          onMethod: () => {
            started.resolve();
            return answer.promise;
          },
        });
        const invoked = harness.invoke("slow");
        await started.promise;
        const closing = connection.close();
        answer.resolve({ status: 200 });
        expect(await invoked).toEqual({ status: 200 });
        await closing;
      });
    });

    describe("the twin", () => {
      const twin = {
        desired: { fan: { speed: 3 }, $version: 7 },
        reported: { fan: { speed: 1, rpm: 90 }, $version: 4 },
      };

      test("is read whole", async () => {
        await using harness = await start();
        harness.setTwin(twin);
        await using connection = await connect(harness);
        expect(await connection.getTwin()).toEqual(twin);
      });

      test("merges what is reported, deletes on null and tells the new version", async () => {
        await using harness = await start();
        harness.setTwin(twin);
        await using connection = await connect(harness);
        expect(await connection.patchReported({ fan: { rpm: null, speed: 2 }, lamp: "on" })).toBe(5);
        expect((await connection.getTwin()).reported).toEqual({ fan: { speed: 2 }, lamp: "on", $version: 5 });
      });

      test("pushes changes of desired properties with their version", async () => {
        await using harness = await start();
        harness.setTwin(twin);
        const got: DesiredPatch[] = [];
        await using connection = await connect(harness, { onDesired: (patch) => void got.push(patch) });
        harness.pushDesired({ fan: { speed: null }, lamp: "off" });
        harness.pushDesired({ lamp: null });
        expect((await connection.getTwin()).desired).toEqual({ fan: {}, $version: 9 });
        expect(got).toEqual([
          { version: 8, patch: { fan: { speed: null }, lamp: "off" } },
          { version: 9, patch: { lamp: null } },
        ]);
      });

      test.each([
        [400, "hub.twin-rejected"],
        [429, "transport.unavailable"],
        [503, "transport.unavailable"],
      ])("rejects with the status when the hub answers %i", async (status, code) => {
        await using harness = await start();
        await using connection = await connect(harness);
        const expected = hidesTwinStatus ? { code: "hub.twin-rejected" } : { code, service: { status } };
        harness.refuseTwin(status);
        await expect(connection.patchReported({})).rejects.toMatchObject(expected);
        harness.refuseTwin(status);
        await expect(connection.getTwin()).rejects.toMatchObject(expected);
        await connection.getTwin();
      });
    });
  });
}
