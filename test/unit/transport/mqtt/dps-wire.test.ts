import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { dpsRequestTopic, dpsUsername, parseDpsResponseTopic } from "../../../../src/transport/mqtt/dps-wire.ts";
import type { DpsRequest } from "../../../../src/transport/transport.ts";
import vectors from "../../../vectors/dps-mqtt.json" with { type: "json" };

describe("the wire of DPS over MQTT", () => {
  test.each(vectors.usernames.written)(
    "user name $username",
    ({ idScope, registrationId, clientVersion, username }) => {
      expect(dpsUsername(idScope, registrationId, clientVersion)).toBe(username);
    },
  );

  test.each(vectors.requests)("request topic $topic", ({ kind, operationId, requestId, topic }) => {
    const request: DpsRequest =
      kind === "register" ? { kind, body: {} } : { kind: "status", operationId: operationId ?? "" };
    expect(dpsRequestTopic(request, requestId)).toBe(topic);
  });

  test.each(vectors.responses)("response topic $topic", ({ topic, ...expected }) => {
    expect(parseDpsResponseTopic(topic)).toEqual(expected);
  });

  test.each(vectors.notResponses)("%j is no response", (topic) => {
    expect(parseDpsResponseTopic(topic)).toBeUndefined();
  });

  test("a retry-after is never less than a second nor more than an hour", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 30n }), (seconds) => {
        const { retryAfterMs } =
          parseDpsResponseTopic(`$dps/registrations/res/202/?$rid=1&retry-after=${seconds}`) ?? {};
        expect(retryAfterMs).toBeGreaterThanOrEqual(1000);
        expect(retryAfterMs).toBeLessThanOrEqual(3_600_000);
        if (seconds >= 1n && seconds <= 3600n) expect(retryAfterMs).toBe(Number(seconds) * 1000);
      }),
    );
  });

  test("an operation id cannot add anything to a topic but itself", () => {
    fc.assert(
      fc.property(fc.string(), (operationId) => {
        const topic = dpsRequestTopic({ kind: "status", operationId }, "7");
        expect(topic.split("&")).toHaveLength(2);
        expect(topic.split("/")).toHaveLength(5);
      }),
    );
  });

  test("any topic at all can be read", () => {
    fc.assert(fc.property(fc.string(), (rest) => void parseDpsResponseTopic(`$dps/registrations/res/${rest}`)));
  });
});
