import { expect, test } from "vitest";
import { SettingsGroup } from "../../src/serial/groups/settings-group.ts";
import { fault, reset, type Scene } from "./mcu-scene.ts";

/** Settings: a draft, a commit, what lasts. */
export function settingsContract(get: () => Scene): void {
  const period = "sampling/period_ms";
  const settings = (): SettingsGroup => new SettingsGroup(get().client);
  const restore = async (): Promise<void> => {
    await settings().delete(period);
    await settings().commit();
  };

  test("puts into effect what was written when it is committed, all at once", async () => {
    const initially = await settings().read(period);
    await settings().write(period, 1_234);
    expect(await settings().read(period)).toBe(initially);
    await settings().commit();
    expect(await settings().read(period)).toBe(1_234);
    await restore();
    expect(await settings().read(period)).toBe(initially);
  });

  test("keeps what was committed over a reset, and forgets what was not", async () => {
    await settings().write(period, 2_345);
    await settings().commit();
    await settings().write(period, 3_456);
    await reset(get());
    expect(await settings().read(period)).toBe(2_345);
    await restore();
  });

  test("refuses names that there are not with 5, and values that do not fit with 3", async () => {
    expect(await fault(settings().write("no/such", 1))).toEqual({ group: 3, rc: 5 });
    expect(await fault(settings().read("no/such"))).toEqual({ group: 3, rc: 5 });
    for (const value of [-1, 1.5, "often", true, null, 10 ** 12]) {
      expect(await fault(settings().write(period, value))).toEqual({ group: 3, rc: 3 });
    }
  });
}
