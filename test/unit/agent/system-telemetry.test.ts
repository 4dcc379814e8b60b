import { describe, expect, test } from "vitest";
import { systemSnapshot } from "../../../src/agent/system-telemetry.ts";

describe("systemSnapshot", () => {
  test("tells uptime, load and memory of machine and agent, as JSON can carry it", async () => {
    const snapshot = await systemSnapshot();
    expect(JSON.parse(JSON.stringify(snapshot))).toEqual(snapshot);
    expect(snapshot.uptimeSeconds).toBeGreaterThan(0);
    expect(Object.keys(snapshot.loadAverage)).toEqual(["oneMinute", "fiveMinutes", "fifteenMinutes"]);
    expect(snapshot.memory.totalBytes).toBeGreaterThan(snapshot.memory.availableBytes);
    expect(snapshot.agent.memoryBytes).toBeGreaterThan(1024 * 1024);
    expect(snapshot.agent.memoryBytes).toBeLessThan(snapshot.memory.totalBytes);
  });

  test("tells the processor's temperature where the machine does", async () => {
    const asked: string[] = [];
    const snapshot = await systemSnapshot(async (path) => {
      asked.push(path);
      return "48312\n";
    });
    expect(snapshot.cpuCelsius).toBe(48.31);
    expect(asked).toEqual(["/sys/class/thermal/thermal_zone0/temp"]);
  });

  test.each([
    ["no sensor", async () => Promise.reject(new Error("ENOENT"))],
    ["an empty file", async () => "\n"],
    ["a sensor that is off", async () => "0\n"],
    ["nonsense", async () => "warm"],
    ["a number from nowhere", async () => "-274000"],
  ])("leaves it out: %s", async (_, readText) => {
    expect(await systemSnapshot(readText)).not.toHaveProperty("cpuCelsius");
  });
});
