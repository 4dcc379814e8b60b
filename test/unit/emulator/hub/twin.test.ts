import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Twin } from "../../../../src/emulator/hub/twin.ts";
import type { JsonObject } from "../../../../src/json.ts";
import { EmulatedHub } from "../../../support/emulated-hub.ts";
import type { ForeignDevice } from "../../../support/foreign-device.ts";

const reported = "$iothub/twin/PATCH/properties/reported/";

async function listening(): Promise<[EmulatedHub, ForeignDevice]> {
  const emulated = new EmulatedHub();
  const device = await emulated.device();
  await device.subscribe("$iothub/twin/res/#", "$iothub/twin/PATCH/properties/desired/#");
  return [emulated, device];
}

describe("a twin over MQTT", () => {
  test.each(["", " ", "{}"])("is read with the body %j, without tags", async (body) => {
    const emulated = new EmulatedHub();
    const twin = { desired: { interval: 5 }, tags: { site: "north" } };
    emulated.hub.addDevice({
      deviceId: "dev",
      twin,
      authentication: { method: "symmetric_key", primaryKey: Buffer.alloc(32, 5).toString("base64") },
    });
    await using device = await emulated.device();
    await device.subscribe("$iothub/twin/res/#");
    const { topic, payload, qos } = await device.ask("$iothub/twin/GET/?$rid=get_twin", body);
    expect([topic, qos]).toEqual(["$iothub/twin/res/200/?$rid=get_twin", 0]);
    expect(JSON.parse(payload)).toEqual({ desired: { interval: 5, $version: 1 }, reported: { $version: 1 } });
    expect(emulated.hub.twin("dev").tags).toEqual({ site: "north" });
    expect(emulated.events.of("hub.twin-read")).toHaveLength(1);
  });

  test("takes reported patches, one version after the other, under request ids that come again", async () => {
    const [{ hub, events }, device] = await listening();
    const first = await device.ask(`${reported}?$rid=reported_prop`, '{"a":1,"b":{"c":2}}');
    const second = await device.ask(`${reported}?$rid=reported_prop`, '{"a":null,"b":{"d":3}}');
    expect([first, second].map(({ topic, payload }) => [topic, payload])).toEqual([
      ["$iothub/twin/res/204/?$rid=reported_prop&$version=2", ""],
      ["$iothub/twin/res/204/?$rid=reported_prop&$version=3", ""],
    ]);
    expect(hub.twin("dev").reported).toEqual({ b: { c: 2, d: 3 }, $version: 3 });
    expect(events.of("hub.reported").map(({ status, version, patch }) => [status, version, patch])).toEqual([
      [204, 2, { a: 1, b: { c: 2 } }],
      [204, 3, { a: null, b: { d: 3 } }],
    ]);
    await device.leave();
  });

  test("takes a patch for the version that the device names, and for no other", async () => {
    const [{ hub }, device] = await listening();
    expect((await device.ask(`${reported}?$rid=1&$version=1`, '{"a":1}')).topic).toContain("/res/204/");
    const { topic, payload } = await device.ask(`${reported}?$rid=2&$version=1`, '{"a":2}');
    expect(topic).toBe("$iothub/twin/res/412/?$rid=2");
    expect(JSON.parse(payload)).toMatchObject({ errorCode: 412001 });
    expect(hub.twin("dev").reported).toMatchObject({ a: 1 });
    await device.leave();
  });

  test.each([
    ["no JSON", "{", 400006],
    ["an array", "[]", 400006],
    ["a key with a dot", '{"a.b":1}', 400004],
    ["more than 32 KB", `{${Array.from({ length: 10 }, (_, n) => `"k${n}":"${"x".repeat(4000)}"`)}}`, 400004],
  ])("answers 400 with an error code to %s, and changes nothing", async (_what, body, errorCode) => {
    const [{ hub, events }, device] = await listening();
    const { topic, payload } = await device.ask(`${reported}?$rid=7`, body);
    expect(topic).toBe("$iothub/twin/res/400/?$rid=7");
    expect(JSON.parse(payload)).toMatchObject({ errorCode, message: expect.any(String) });
    expect(hub.twin("dev").reported).toEqual({ $version: 1 });
    expect(events.of("hub.reported")).toMatchObject([{ status: 400, version: 1 }]);
    await device.leave();
  });

  test("is not told to a device that does not listen", async () => {
    const emulated = new EmulatedHub();
    await using device = await emulated.device();
    await device.publish("$iothub/twin/GET/?$rid=1");
    emulated.hub.updateDesired("dev", { a: 1 });
    await device.publish("devices/dev/messages/events/");
    expect(device.messages.all).toEqual([]);
  });

  test("pushes desired patches with their versions", async () => {
    const [{ hub }, device] = await listening();
    expect(hub.updateDesired("dev", { interval: 10 })).toBe(2);
    expect(hub.updateDesired("dev", { interval: null, mode: "eco" })).toBe(3);
    const pushed = [await device.messages.nth(1), await device.messages.nth(2)];
    expect(pushed.map(({ topic, payload }) => [topic, JSON.parse(payload)])).toEqual([
      ["$iothub/twin/PATCH/properties/desired/?$version=2", { interval: 10, $version: 2 }],
      ["$iothub/twin/PATCH/properties/desired/?$version=3", { interval: null, mode: "eco", $version: 3 }],
    ]);
    expect(hub.twin("dev").desired).toEqual({ mode: "eco", $version: 3 });
    await device.leave();
  });

  test("is kept for a device that is away, and refuses what breaks a limit", () => {
    const { hub } = new EmulatedHub();
    hub.addDevice({ deviceId: "dev" });
    hub.updateDesired("dev", { a: 1 });
    hub.updateTags("dev", { site: "south" });
    const rejected = expect.objectContaining({ code: "emulator.rejected" });
    expect(() => hub.updateDesired("dev", { "a b": 1 })).toThrow(rejected);
    expect(() => hub.updateTags("dev", { a: "x".repeat(4096), b: "x".repeat(4096) })).toThrow(rejected);
    expect(() => hub.twin("nobody")).toThrow(rejected);
    expect(hub.twin("dev")).toEqual({
      desired: { a: 1, $version: 2 },
      reported: { $version: 1 },
      tags: { site: "south" },
    });
  });
});

describe("a patch", () => {
  const nested = (depth: number): JsonObject => (depth === 1 ? { leaf: 1 } : { in: nested(depth - 1) });
  /** As JSON, exactly that many bytes. */
  const ofBytes = (bytes: number): JsonObject => {
    const full = Array.from({ length: 8 }, () => "x".repeat(4000));
    const rest = bytes - JSON.stringify({ a: [...full, ""] }).length;
    return { a: [...full, "x".repeat(rest)] };
  };

  test.each<[string, JsonObject, boolean]>([
    ["10 levels", nested(10), true],
    ["11 levels", nested(11), false],
    ["an object in an array at level 11", { a: [nested(10)] }, false],
    ["a text of 4096 bytes", { a: "x".repeat(4096) }, true],
    ["a text of 4097 bytes", { a: ["x".repeat(4097)] }, false],
    ["a key of 1024 bytes", { ["k".repeat(1024)]: 1 }, true],
    ["a key of 1025 bytes", { ["k".repeat(1025)]: 1 }, false],
    ["a key with a dollar sign", { $a: 1 }, false],
    ["a key with a space", { "a b": 1 }, false],
    ["a key with a control character", { "a\u0007": 1 }, false],
    ["2 to the power of 52", { a: 2 ** 52 }, true],
    ["2 to the power of 52 and one", { a: -(2 ** 52) - 1 }, false],
    ["a large number that is no integer", { a: 1.5e-300 }, true],
    ["32 768 bytes", ofBytes(32_768), true],
    ["32 769 bytes", ofBytes(32_769), false],
  ])("with %s", (_what, patch, fits) => {
    expect(new Twin().patch("reported", patch).ok).toBe(fits);
  });

  test("merges as JSON merge patches do", () => {
    const json = fc.letrec<{ object: JsonObject; value: JsonObject[string] }>((tie) => ({
      value: fc.oneof(fc.constant(null), fc.integer(), fc.constantFrom("x", "y"), tie("object")),
      object: fc.dictionary(fc.constantFrom("a", "b", "c", "__proto__", "constructor"), tie("value"), { maxKeys: 3 }),
    })).object;
    fc.assert(
      fc.property(json, json, (first, second) => {
        const twin = new Twin();
        if (!twin.patch("reported", first).ok) return;
        const before = twin.snapshot().reported;
        if (!twin.patch("reported", second).ok) return;
        const { $version, ...after } = twin.snapshot().reported;
        const { $version: _, ...content } = before;
        expect(after).toEqual(merged(content, second));
        expect($version).toBe(3);
        expect(JSON.stringify(after)).not.toContain("null");
      }),
    );
  });

  test("does not reach into the twin by what it was made from", () => {
    const patch = { a: { b: 1 } };
    const twin = new Twin({ desired: patch });
    twin.patch("reported", patch);
    patch.a.b = 2;
    expect(twin.snapshot()).toMatchObject({ reported: { a: { b: 1 } }, desired: { a: { b: 1 } } });
  });
});

/** The algorithm of RFC 7396, written again. */
function merged(target: unknown, patch: unknown): unknown {
  const isObject = (value: unknown): value is JsonObject => typeof value === "object" && value !== null;
  if (!isObject(patch)) return patch;
  const result = Object.assign(Object.create(null), isObject(target) ? target : {}) as Record<string, unknown>;
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = merged(result[key], value);
  }
  return Object.fromEntries(Object.entries(result));
}
