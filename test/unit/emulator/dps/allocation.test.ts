import { describe, expect, test } from "vitest";
import { chooseHub, type LinkedHub } from "../../../../src/emulator/dps/allocation.ts";

const hubs = ["a", "b", "c"].map((name) => ({ name, hostName: `${name}.net`, address: name }) as LinkedHub);
const nameOf = (options: Parameters<typeof chooseHub>[1], id = "dev", current?: string): string | undefined =>
  chooseHub(hubs, options, id, current === undefined ? undefined : { hub: current })?.name;

describe("the choice of a hub", () => {
  test("spreads devices evenly by their id, the same way each time and in whatever case", () => {
    const counts = new Map<string | undefined, number>();
    for (let device = 0; device < 3000; device++) {
      const name = nameOf({}, `sensor-${device}`);
      expect(nameOf({}, `SENSOR-${device}`)).toBe(name);
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    expect([...counts.keys()].sort()).toEqual(["a", "b", "c"]);
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(150);
  });

  test("is the first named one where it is static, however the device is placed", () => {
    expect(nameOf({ allocation: "static", hubs: ["c", "a"] })).toBe("c");
    expect(nameOf({ allocation: "static", hubs: ["c", "a"] }, "dev", "a")).toBe("c");
    expect(nameOf({ allocation: "static" })).toBe("a");
  });

  test("leaves a device where it may be, and moves it from where it may not", () => {
    for (const { name } of hubs) expect(nameOf({}, "dev", name)).toBe(name);
    expect(nameOf({ hubs: ["b"] }, "dev", "a")).toBe("b");
    expect(nameOf({ hubs: ["b"], reprovisioning: "never" }, "dev", "a")).toBe("a");
    expect(nameOf({ hubs: ["b"], reprovisioning: "never" }, "dev", "gone")).toBe("b");
  });

  test("is the hub with the lowest latency, the first of two that are as near, and a hub without a latency last", () => {
    const latency = (latenciesMs: Record<string, number>, hubs?: readonly string[]) =>
      nameOf({ allocation: "lowest-latency", latenciesMs, ...(hubs === undefined ? {} : { hubs }) }, "dev", "a");
    expect(latency({ a: 30, b: 20, c: 25 })).toBe("b");
    expect(latency({ a: 30, b: 20, c: 20 }, ["c", "b"])).toBe("c");
    expect(latency({ c: 9000 })).toBe("c");
    expect(latency({ b: 1 }, ["a", "c"])).toBe("a");
    expect(latency({})).toBe("a");
  });

  test("takes a hub by its host name as well", () => {
    expect(nameOf({ allocation: "static", hubs: ["c.net", "a"] })).toBe("c");
    expect(nameOf({ allocation: "lowest-latency", latenciesMs: { a: 30, "b.net": 20 } })).toBe("b");
  });

  test("is none where no hub of that name exists", () => {
    expect(nameOf({ hubs: ["x"] })).toBeUndefined();
    expect(nameOf({ hubs: ["x"], allocation: "static" })).toBeUndefined();
    expect(nameOf({ hubs: ["x", "b"], allocation: "static" })).toBe("b");
    expect(chooseHub([], {}, "dev", undefined)).toBeUndefined();
  });
});
