import { afterEach, beforeEach, describe, expect } from "vitest";
import { systemClock } from "../../src/clock.ts";
import { SmpLink } from "../../src/serial/smp-link.ts";
import { PatientClient } from "../support/patient-client.ts";
import { commandsContract } from "./mcu-commands.ts";
import { identityContract } from "./mcu-identity.ts";
import { imagesContract } from "./mcu-images.ts";
import type { McuFacts, McuUnderTest, Scene } from "./mcu-scene.ts";
import { settingsContract } from "./mcu-settings.ts";
import { standardGroups } from "./mcu-standard-groups.ts";
import { telemetryContract } from "./mcu-telemetry.ts";

/** The suite that every MCU passes: the simulator, the sample firmware, a board on the desk. */
export function mcuContract(name: string, facts: McuFacts, open: () => Promise<McuUnderTest>): void {
  describe(`${name}, as an MCU`, () => {
    let scene: Scene;
    beforeEach(async () => {
      const mcu = await open();
      const { clock = systemClock, patience = { tries: 20, timeoutMs: 30_000 } } = mcu;
      const link = await SmpLink.open({ port: mcu.port, clock });
      scene = { mcu, clock, link, client: new PatientClient(link, patience) };
    });
    afterEach(async () => {
      await scene.link.close();
      await scene.mcu.close();
      expect(scene.client.contractFaults).toEqual([]);
    });
    const get = (): Scene => scene;
    describe("of the standard groups", () => standardGroups(get));
    describe("with settings", () => settingsContract(get));
    describe("with an identity", () => identityContract(get, facts));
    describe("with telemetry", () => telemetryContract(get));
    describe("with commands", () => commandsContract(get));
    if (facts.takesTestImages) describe("with images", () => imagesContract(get, facts));
  });
}
