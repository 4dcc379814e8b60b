import { describe, expect, test } from "vitest";
import type { Configuration } from "../../../src/config/settings-schema.ts";
import { supportBundle } from "../../../src/doctor/bundle.ts";
import { reportOf } from "../../../src/doctor/report.ts";
import { deviceKey, deviceSettings, resultOf } from "../../support/doctor-context.ts";
import { ScratchFolder } from "../../support/scratch-folder.ts";

const scratch = new ScratchFolder();

const report = reportOf({
  version: "1.2.3",
  startedAtMs: Date.UTC(2026, 2, 1),
  durationMs: 1,
  complete: true,
  configured: true,
  diagnosis: null,
  checks: [
    resultOf({ id: "credential.name", summary: "sensor-0017", data: { id: "sensor-0017" } }),
    resultOf({ id: "x", summary: `somebody printed ${deviceKey}`, evidence: ["devices/SENSOR-0017/messages"] }),
  ],
});

/** Settings with everything that must not leave the device. */
async function settings() {
  const hosts = await scratch.write(
    "hosts",
    "10.0.0.9 printer.corp\n10.20.0.5 contoso.azure-devices-provisioning.net\n",
  );
  const stored = {
    schema: "landfall.stored-assignment/1",
    binding: { idScope: "0ne00AB12CD", registrationId: "sensor-0017", endpoint: "auto" },
    assignment: {
      assignedHub: "hub-a.azure-devices.net",
      deviceId: "sensor-0017",
      payload: { wifi: "s3cret-payload" },
    },
  };
  await scratch.write("assignment.json", JSON.stringify(stored));
  return deviceSettings({
    provisioning: {
      source: "dps",
      id_scope: "0ne00AB12CD",
      payload: { token: "s3cret-payload" },
      attestation: { method: "symmetric_key", registration_id: "sensor-0017", symmetric_key: { value: deviceKey } },
    },
    network: { proxy: "http://user:hunter2@proxy:3128", hosts_file: hosts },
    methods: { report: { command: ["/usr/bin/curl", "-H", "X-Key: s3cret-argument"] } },
    state: { directory: scratch.path },
  } as Partial<Configuration>);
}

describe("a support bundle", () => {
  test("has what somebody who helps asks for", async () => {
    expect(await supportBundle(report, await settings())).toMatchObject({
      schema: "landfall.bundle/1",
      versions: { landfall: "1.2.3", node: process.version },
      report: { schema: "landfall.doctor/1", exitCode: 0 },
      configuration: {
        provisioning: { id_scope: "0ne00AB12CD", payload: "[left out]" },
        network: { proxy: "http://proxy:3128" },
        methods: { report: { command: ["/usr/bin/curl", "[2 left out]"] } },
      },
      hosts: [`${scratch.file("hosts")}:2: 10.20.0.5 contoso.azure-devices-provisioning.net`],
      networkMemory: { sightings: [], damaged: false },
      assignment: { state: "stored", assignedHub: "hub-a.azure-devices.net", deviceId: "sen…17" },
    });
  });

  test("has no secret, no payload, no argument and no id in it", async () => {
    const text = JSON.stringify(await supportBundle(report, await settings()));
    expect(text).not.toMatch(/hunter2|s3cret|sensor-0017|printer\.corp/i);
    expect(text).not.toContain(deviceKey);
    expect(text).toContain("sen…17");
  });

  test("can be written without a valid configuration", async () => {
    expect(await supportBundle(report, undefined)).toMatchObject({ configuration: null, assignment: null, hosts: [] });
  });
});
