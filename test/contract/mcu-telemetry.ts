import { expect, test } from "vitest";
import { deferred } from "../../src/deferred.ts";
import { OsGroup } from "../../src/serial/groups/os-group.ts";
import { SettingsGroup } from "../../src/serial/groups/settings-group.ts";
import { allowTelemetry } from "../../src/serial/groups/telemetry-group.ts";
import type { SmpPush } from "../../src/serial/smp-client.ts";
import { SmpRefusal, smpCodes } from "../../src/serial/smp-faults.ts";
import { Sightings } from "../../src/testing/sightings.ts";
import { contractFault } from "../support/mcu-contract.ts";
import { reset, type Scene } from "./mcu-scene.ts";

/** Messages that an MCU pushes. */
export function telemetryContract(get: () => Scene): void {
  test("pushes when it is allowed, one message at a time, said again until it is answered", async () => {
    const { link, client } = get();
    const pushes = new Sightings<SmpPush>();
    let answer = deferred<void>();
    link.serve(71, async (push) => {
      pushes.add(push);
      await answer.promise;
      return { n: push.body.n ?? null };
    });
    const settings = new SettingsGroup(client);
    await settings.write("sampling/period_ms", 100);
    await settings.commit();
    const boot = await allowTelemetry(client, true);
    const first = await pushes.nth(1);
    expect(first).toMatchObject({ operation: "write", command: 1, body: { boot, n: 0 } });
    expect(contractFault({ ...first, group: 71 })).toBeUndefined();
    // Said again, it is the same to the letter.
    expect((await pushes.nth(2)).body).toEqual(first.body);
    answer.resolve();
    const later = async (n: number): Promise<SmpPush> => {
      for (let count = 2; ; count++) {
        const push = await pushes.nth(count);
        if (push.body.n === n) return push;
      }
    };
    const third = await later(2);
    expect(Object.keys(third.body.data as object).length).toBeGreaterThan(0);
    expect(third.body.ms).toBeGreaterThanOrEqual(first.body.ms as number);
    answer = deferred();
    await allowTelemetry(client, false);
    await settings.delete("sampling/period_ms");
    await settings.commit();
  });

  test("takes no answer to another message for one to its own", async () => {
    const { link, client } = get();
    const pushes = new Sightings<SmpPush>();
    link.serve(71, async (push) => {
      pushes.add(push);
      return { n: (push.body.n as number) + 1 };
    });
    await allowTelemetry(client, true);
    expect((await pushes.nth(2)).body).toEqual((await pushes.nth(1)).body);
  });

  test("drops a message that the gateway refuses for good, and says one again that it refuses for now", async () => {
    const { link, client } = get();
    const pushes = new Sightings<SmpPush>();
    const said = (n: number): number => pushes.all.filter(({ body }) => body.n === n).length;
    link.serve(71, async (push) => {
      pushes.add(push);
      const { n } = push.body;
      if (n === 0) throw new SmpRefusal("take telemetry", { group: 71, rc: smpCodes.tooLarge });
      if (n === 1 && said(1) === 1) throw new SmpRefusal("take telemetry", { group: 71, rc: smpCodes.busy });
      return { n: n ?? null };
    });
    const settings = new SettingsGroup(client);
    await settings.write("sampling/period_ms", 100);
    await settings.commit();
    await allowTelemetry(client, true);
    while (said(2) === 0) await pushes.nth(pushes.all.length + 1);
    expect(said(1)).toBeGreaterThan(1);
    await allowTelemetry(client, false);
    await settings.delete("sampling/period_ms");
    await settings.commit();
  });

  test("is silent before it is allowed, and after a reset", async () => {
    const scene = get();
    const pushes = new Sightings<SmpPush>();
    scene.link.serve(71, async (push) => {
      pushes.add(push);
      return { n: push.body.n ?? null };
    });
    await reset(scene);
    expect(pushes.all).toEqual([]);
    const boot = await allowTelemetry(scene.client, true);
    expect((await pushes.nth(1)).body).toMatchObject({ boot, n: 0 });
    await reset(scene);
    const heard = pushes.all.length;
    await new OsGroup(scene.client).echo("anything more?");
    expect(pushes.all.length).toBe(heard);
  });
}
