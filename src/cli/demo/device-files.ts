import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { RawTable } from "../../config/fault.ts";
import { renderTemplate } from "../../config/template.ts";
import type { Emulator } from "../../emulator/index.ts";

/** What a demo's device has on its disk, and who serves it. */
export interface DeviceFiles {
  readonly emulator: Emulator;
  readonly registrationId: string;
  readonly directory: string;
}

/** Settings beside the usual ones, by the names of the file. */
export interface FurtherSettings {
  readonly provisioning?: RawTable;
  readonly network?: RawTable;
}

/** Enrolls a new device with a certificate of its own, and writes what it has on its disk. Returns its configuration file. */
export async function enrollX509Device(
  emulator: Emulator,
  registrationId: string,
  directory: string,
  further?: FurtherSettings,
): Promise<string> {
  const factory = await (await import("../../emulator/index.ts")).CertificateAuthority.create({
    commonName: "Demo factory",
  });
  emulator.dps.enroll({ group: "factory", attestation: { method: "x509", certificate: factory.certificatePem } });
  const issued = await factory.issue({ commonName: registrationId, usage: "client" });
  await writeFile(join(directory, "device.pem"), issued.chainPem);
  await writeFile(join(directory, "device.key"), issued.privateKeyPem, { mode: 0o600 });
  return writeConfiguration({ emulator, registrationId, directory }, further);
}

/** Writes the configuration file of a device that has its certificate; gives the file's path. */
export async function writeConfiguration(
  { emulator, registrationId, directory }: DeviceFiles,
  { provisioning, network }: FurtherSettings = {},
): Promise<string> {
  const file = (name: string): string => join(directory, name);
  const configuration = renderTemplate({
    provisioning: {
      source: "dps",
      id_scope: emulator.ready.idScope,
      ...provisioning,
      attestation: {
        method: "x509",
        registration_id: registrationId,
        identity_cert: file("device.pem"),
        identity_pk: file("device.key"),
      },
    },
    network: { trust_bundle: emulator.ready.caFile, connect_to: [...emulator.connectTo], ...network },
    telemetry: { interval: "2s" },
    methods: { greet: { command: [process.execPath, "-p", "JSON.stringify({ hello: 'from the device' })"] } },
    state: { directory: file("state") },
  });
  await writeFile(file("landfall.toml"), configuration, { mode: 0o600 });
  return file("landfall.toml");
}
