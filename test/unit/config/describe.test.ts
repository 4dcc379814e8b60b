import { describe, expect, test } from "vitest";
import { describeSettings } from "../../../src/config/describe.ts";
import { settingsFrom } from "../../../src/config/settings-from.ts";
import type { Configuration } from "../../../src/config/settings-schema.ts";
import { manual, sampleKey, surroundings, withSymmetricKey } from "./samples.ts";

const described = async (configuration: Configuration) =>
  describeSettings((await settingsFrom(configuration, surroundings)).settings);

describe("the description of settings", () => {
  test("has the names of the file, every default, and no secret", async () => {
    expect(await described(withSymmetricKey)).toEqual({
      provisioning: {
        source: "dps",
        id_scope: "0ne00000000",
        endpoint: "auto",
        data_residency: "any",
        allow_global_fallback: false,
        network: "any",
        private_cidrs: [],
        transport: "mqtt",
        always_reprovision_on_startup: false,
        timeout: "5m",
        attestation: {
          method: "symmetric_key",
          registration_id: "my-device",
          symmetric_key: "[secret]",
          derive: false,
        },
      },
      hub: { transport: "mqtt", keep_alive: "4m", token_lifetime: "1h", telemetry_window: 32 },
      network: { connect_to: [], hosts_file: "/etc/hosts", no_proxy: [] },
      telemetry: { interval: "1m" },
      methods: {},
      doctor: {},
      state: { directory: "/home/agent/.local/state/landfall" },
      log: { level: "info" },
    });
  });

  test("is a valid configuration again once the secrets are put back", async () => {
    const configuration: Configuration = {
      ...withSymmetricKey,
      hub: { transport: "mqtt-ws", model_id: "dtmi:com:example:Thermostat;1", keep_alive: 45, token_lifetime: 3601 },
      network: { connect_to: ["a.net::[::1]:"], name_servers: ["10.0.0.4:53"], no_proxy: ["a.net"] },
      telemetry: { interval: 0 },
      methods: { list: { command: ["ls"], timeout: "90s", max_output: 0 } },
    };
    const { settings } = await settingsFrom(configuration, surroundings);
    const text = JSON.stringify(describeSettings(settings)).replace("[secret]", sampleKey);
    const again = await settingsFrom(JSON.parse(text), surroundings);
    expect(again.settings).toEqual(settings);
  });

  test("shows a proxy without its credentials, and where it came from", async () => {
    const network = { proxy: "http://user:hunter2@proxy.example:3128" };
    const description = await described({ ...withSymmetricKey, hub: { transport: "mqtt-ws" }, network });
    expect(description.network).toMatchObject({ proxy: "http://proxy.example:3128", proxy_from: "configuration" });
    expect(JSON.stringify(description)).not.toContain("hunter2");
  });

  test("of a hub given by hand", async () => {
    expect((await described(manual)).provisioning).toEqual({
      ...manual.provisioning,
      network: "any",
      private_cidrs: [],
      authentication: { method: "sas", device_id_pk: "[secret]" },
    });
  });

  test("of certificates names the files and hides the passwords", async () => {
    const settings = (await settingsFrom(withSymmetricKey, surroundings)).settings;
    const { provisioning } = settings;
    if (provisioning.source !== "dps" || provisioning.attestation.method !== "symmetric_key")
      throw new Error("other sample");
    const password = provisioning.attestation.symmetricKey;
    const attested = (source: object) =>
      describeSettings({
        ...settings,
        provisioning: { ...provisioning, attestation: { method: "x509", source } as never },
      }).provisioning;
    expect(attested({ kind: "pem", certificate: "/c", privateKey: "/k", password })).toMatchObject({
      attestation: { method: "x509", identity_cert: "/c", identity_pk: "/k", identity_pk_password: "[secret]" },
    });
    expect(attested({ kind: "pkcs12", file: "/p", password })).toMatchObject({
      attestation: { method: "x509", identity_pkcs12: "/p", identity_password: "[secret]" },
    });
  });
});

test("the PIN in a PKCS#11 URI is left out", async () => {
  const at = { method: "x509", identity_cert: "pkcs11:token=t;object=c", registration_id: "x" } as const;
  const settings = validSettings({ ...at, identity_pk: "pkcs11:token=t;object=k?pin-value=hunter2&module-name=m" });
  const text = JSON.stringify(describeSettings((await settings).settings));
  expect(text).toContain('"pkcs11:token=t;object=k?module-name=m"');
  expect(text).not.toContain("hunter2");
});

function validSettings(attestation: object) {
  const provisioning = { source: "dps", id_scope: "0ne00000000", attestation } as never;
  return settingsFrom({ provisioning }, surroundings);
}
