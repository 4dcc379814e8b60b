import { expect } from "vitest";
import type { Flow } from "./flow.ts";

/** The flows of the clients for DPS. */
export const dpsFlows: readonly Flow[] = [
  {
    title: "symmetric key, individual enrollment: register, connect to the assigned hub, send",
    async run(scene) {
      const { emulator } = scene;
      const enrollment = emulator.dps.enroll({
        registrationId: "sensor-17",
        attestation: { method: "symmetric_key" },
      });
      await using device = scene.start("provision", { registrationId: "sensor-17", key: enrollment.deviceKey() });
      await device.event("done");
      expect(emulator.hub().received.map((message) => message.text())).toEqual(["hello"]);
    },
  },
];
