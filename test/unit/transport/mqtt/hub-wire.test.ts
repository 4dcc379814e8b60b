import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { TelemetryMessage } from "../../../../src/transport/messages.ts";
import {
  cloudMessageOf,
  desiredFilter,
  hubUsername,
  messageFilter,
  methodFilter,
  methodResponseTopic,
  parseHubTopic,
  reportedPatchTopic,
  telemetryTopic,
  twinGetTopic,
  twinResponseFilter,
} from "../../../../src/transport/mqtt/hub-wire.ts";
import { encodePropertyBag } from "../../../../src/transport/mqtt/property-bag.ts";
import vectors from "../../../vectors/hub-mqtt.json" with { type: "json" };

const payload = new Uint8Array([1]);
const word = fc.stringMatching(/^[A-Za-z0-9*_-]{1,20}$/);

describe("the wire of IoT Hub over MQTT", () => {
  test.each(vectors.usernames.written)("user name $username", ({ host, deviceId, clientType, modelId, username }) => {
    expect(hubUsername(host, deviceId, clientType, modelId)).toBe(username);
  });

  test.each(vectors.telemetry.written)("telemetry topic $topic", ({ deviceId, message, topic }) => {
    expect(telemetryTopic(deviceId, { payload, ...(message as Omit<TelemetryMessage, "payload">) })).toBe(topic);
  });

  test("subscriptions", () => {
    const { deviceId, ...filters } = vectors.subscriptions;
    expect(filters).toEqual({
      message: messageFilter(deviceId),
      method: methodFilter,
      twinResponse: twinResponseFilter,
      desired: desiredFilter,
    });
  });

  test.each(vectors.requests)("request topic $topic", ({ kind, requestId, status, topic }) => {
    const topics: Readonly<Record<string, string>> = {
      twinGet: twinGetTopic(requestId),
      reportedPatch: reportedPatchTopic(requestId),
      methodResponse: methodResponseTopic(status ?? 0, requestId),
    };
    expect(topics[kind]).toBe(topic);
  });

  test.each(vectors.deliveries)("delivery on $topic", ({ topic, expected }) => {
    expect(parseHubTopic(topic)).toEqual(expected);
  });

  test.each(vectors.notDeliveries)("%j is no delivery", (topic) => {
    expect(parseHubTopic(topic)).toBeUndefined();
  });

  test.each(vectors.messages)("message on $topic", ({ topic, message }) => {
    const parsed = parseHubTopic(topic);
    if (parsed?.kind !== "message") throw new Error("not read as a message");
    expect(cloudMessageOf(parsed.bag, payload)).toEqual({ payload, ...message });
  });

  test("properties of a message come out as they went in", () => {
    const text = fc.string({ unit: "grapheme" });
    const name = text.filter((each) => !each.startsWith("$.") && each !== "iothub-ack");
    fc.assert(
      fc.property(fc.dictionary(name, text), text, (properties, messageId) => {
        const bag = encodePropertyBag([...Object.entries(properties), ["$.mid", messageId]]);
        const message = cloudMessageOf(bag, payload);
        expect(Object.entries(message.properties).sort()).toEqual(Object.entries(properties).sort());
        expect(message.messageId).toBe(messageId);
      }),
    );
  });

  test("a property with the name of something else stays a property", () => {
    const { properties } = cloudMessageOf("__proto__=1&constructor=2&toString=3", payload);
    expect(Object.entries(properties)).toEqual([
      ["__proto__", "1"],
      ["constructor", "2"],
      ["toString", "3"],
    ]);
  });

  test("name and id of a method call are read from any topic that is one", () => {
    fc.assert(
      fc.property(word, word, (name, requestId) => {
        expect(parseHubTopic(`$iothub/methods/POST/${name}/?$rid=${requestId}`)).toEqual({
          kind: "method",
          name,
          requestId,
        });
      }),
    );
  });

  test("any topic at all can be read", () => {
    fc.assert(fc.property(fc.string(), (rest) => void parseHubTopic(`$iothub/${rest}`)));
    fc.assert(fc.property(fc.string(), (rest) => void parseHubTopic(`devices/x/messages/devicebound/${rest}`)));
  });
});
