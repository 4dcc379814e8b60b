import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LandfallError } from "../../../src/errors.ts";
import { HubScene, hour, identity, idsOf, minute, telemetry, watch } from "./hub-scene.ts";

const peerClosed = new LandfallError("transport.closed", "closed");
const networkFailed = new LandfallError("transport.closed", "closed", { cause: new Error("ECONNRESET") });
const elsewhere = { route: async () => ({ host: "hub-2.example" }), identity: identity("device-2") };

/** What can happen to a session. Consuming twice throws, which is of no interest here. */
const incidents: Record<string, (scene: HubScene) => unknown> = {
  "the hub acknowledges": ({ transport }) => transport.connections.at(-1)?.ack(2),
  "the hub closes": ({ transport }) => transport.connections.at(-1)?.drop(peerClosed),
  "the network fails": ({ transport }) => transport.connections.at(-1)?.drop(networkFailed),
  "the hub will refuse": ({ transport }) =>
    transport.refuseNext(new LandfallError("transport.unauthorized", "refused")),
  "the hub will be busy": ({ transport }) => transport.refuseNext(),
  "somebody listens": ({ session }) => void session.messages().next(),
  "somebody follows": ({ session }) => void session.desiredChanges().next(),
  "the session moves": ({ session }) => session.moveTo(elsewhere),
  "the clock is set ahead": ({ clock }) => clock.step(hour),
  "the clock is set back": ({ clock }) => clock.step(-hour),
  "a second passes": ({ clock }) => clock.advance(1000),
  "twenty minutes pass": ({ clock }) => clock.advance(20 * minute),
};

describe("a hub session, whatever happens", () => {
  test("has one connection at a time, keeps the order, and gets everything through once the hub is well", async () => {
    const names = fc.constantFrom("a message is sent", "a message is sent", ...Object.keys(incidents));
    await fc.assert(
      fc.asyncProperty(fc.array(names, { maxLength: 25 }), async (happenings) => {
        const scene = new HubScene();
        scene.transport.autoAck = false;
        scene.transport.credentialExpiresAtMs = scene.clock.now() + hour;
        scene.start();
        const sends: { outcome: unknown }[] = [];
        for (const happening of happenings) {
          if (happening === "a message is sent") sends.push(watch(scene.session.send(telemetry(String(sends.length)))));
          try {
            await incidents[happening]?.(scene);
          } catch (error) {
            expect(error).toMatchObject({ code: "hub.already-consumed" });
          }
          await scene.turn();
          expect(scene.transport.connections.filter(({ open }) => open).length).toBeLessThanOrEqual(1);
        }
        scene.transport.autoAck = true;
        scene.transport.credentialExpiresAtMs = undefined;
        for (const connection of scene.transport.connections) connection.drop(networkFailed);
        await scene.clock.advance(hour);
        expect(scene.session.state).toBe("connected");
        expect(sends.filter(({ outcome }) => outcome !== "done")).toEqual([]);
        for (const connection of scene.transport.connections) {
          const ids = idsOf(connection.telemetry).map(Number);
          expect(ids).toEqual([...new Set(ids)].sort((a, b) => a - b));
        }
        await scene.session.close();
        expect(scene.clock.pending).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });
});
