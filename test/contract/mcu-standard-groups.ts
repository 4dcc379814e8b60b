import { expect, test } from "vitest";
import { IdentityGroup } from "../../src/serial/groups/identity-group.ts";
import { OsGroup } from "../../src/serial/groups/os-group.ts";
import { StatisticsGroup } from "../../src/serial/groups/statistics-group.ts";
import { fault, reset, type Scene } from "./mcu-scene.ts";

/** What an MCU does that any firmware with SMP does. */
export function standardGroups(get: () => Scene): void {
  test("echoes texts of any length that fits", async () => {
    const os = new OsGroup(get().client);
    for (const length of [0, 1, 23, 24, 80, 81, 82, 83, 255, 256]) {
      const text = "x".repeat(length);
      expect(await os.echo(text)).toBe(text);
    }
    expect(await os.echo("21 °C")).toBe("21 °C");
  });

  test("says what it is", async () => {
    const os = new OsGroup(get().client);
    expect(await os.info("s")).not.toBe("");
    expect((await os.info("a")).length).toBeGreaterThan((await os.info("i")).length);
  });

  test("refuses groups and commands that it does not have, in plain codes of SMP", async () => {
    const { client } = get();
    for (const [group, command] of [
      [4_000, 0],
      [0, 200],
      [72, 200],
    ] as const) {
      expect(await fault(client.request({ operation: "read", group, command }))).toEqual({ rc: 8 });
    }
  });

  test("counts, and says what by name", async () => {
    const statistics = new StatisticsGroup(get().client);
    const names = await statistics.names();
    expect(names.length).toBeGreaterThan(0);
    for (const name of names) expect(Object.keys(await statistics.read(name)).length).toBeGreaterThan(0);
    expect(await fault(statistics.read("nope"))).toEqual({ group: 2, rc: 3 });
  });

  test("is another after a reset, by its boot", async () => {
    const { boot } = await new IdentityGroup(get().client).identity();
    expect(await reset(get())).not.toBe(boot);
  });
}
