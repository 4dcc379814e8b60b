import { describe, expect, test } from "vitest";
import { describeSettings } from "../../../src/config/describe.ts";
import { settingsFrom } from "../../../src/config/settings-from.ts";
import type { Configuration } from "../../../src/config/settings-schema.ts";
import { surroundings } from "./samples.ts";

const withTpm = (attestation: object): Configuration =>
  ({
    provisioning: {
      source: "dps",
      id_scope: "0ne00000000",
      transport: "https",
      attestation: { method: "tpm", ...attestation },
    },
  }) as Configuration;

const passwords = { owner_password: { env: "OWNER" }, endorsement_password: "written in place" };
const env = { ...surroundings.env, OWNER: "from elsewhere" };

async function attestationOf(configuration: Configuration): Promise<unknown> {
  const { settings } = await settingsFrom(configuration, { ...surroundings, env });
  return settings.provisioning.source === "dps" ? settings.provisioning.attestation : undefined;
}

describe("attestation by TPM", () => {
  test("needs no setting but its method", async () => {
    expect(await attestationOf(withTpm({}))).toEqual({
      method: "tpm",
      tpm: { kind: "device", path: "/dev/tpmrm0" },
      keyTemplate: "tcg",
    });
  });

  test("takes all its settings, and shows no password", async () => {
    const given = { registration_id: "press-07", tpm: "swtpm:/run/tpm", key_template: "azure", ...passwords };
    const { settings } = await settingsFrom(withTpm(given), { ...surroundings, env });
    expect(settings.provisioning).toMatchObject({
      transport: "https",
      attestation: {
        method: "tpm",
        registrationId: "press-07",
        tpm: { kind: "unix", path: "/run/tpm" },
        keyTemplate: "azure",
      },
    });
    const hidden = "[secret]";
    expect(describeSettings(settings).provisioning).toMatchObject({
      attestation: { ...given, owner_password: hidden, endorsement_password: hidden },
    });
    expect(JSON.stringify([settings, describeSettings(settings)])).not.toMatch(/from elsewhere|written in place/);
  });

  test.each([
    [{ tpm: "/dev/tpm0" }, /^provisioning\.attestation\.tpm: expected "device:\/dev\/tpmrm0", .*; found "\/dev\/tpm0"/],
    [
      { key_template: "vendor" },
      /^provisioning\.attestation\.key_template: expected "tcg" or "azure"; found "vendor"$/,
    ],
    [{ registration_id: "-" }, /^provisioning\.attestation\.registration_id: /],
    [{ derive: true }, /derive: expected this only with method = "symmetric_key"; found it with method = "tpm"/],
  ])("refuses %j", async (given, fault) => {
    await expect(settingsFrom(withTpm(given), surroundings)).rejects.toMatchObject({
      code: "config.invalid",
      details: [expect.stringMatching(fault)],
    });
  });
});
