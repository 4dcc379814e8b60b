import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { renderTemplate } from "../../config/template.ts";
import type { Emulator } from "../../emulator/index.ts";

/** Enrolls a new device with a certificate of its own, and writes what it has on its disk. Returns its configuration file. */
export async function enrollX509Device(emulator: Emulator, registrationId: string, directory: string): Promise<string> {
  const factory = await (await import("../../emulator/index.ts")).CertificateAuthority.create({
    commonName: "Demo factory",
  });
  emulator.dps.enroll({ group: "factory", attestation: { method: "x509", certificate: factory.certificatePem } });
  const issued = await factory.issue({ commonName: registrationId, usage: "client" });

  const file = (name: string): string => join(directory, name);
  await writeFile(file("device.pem"), issued.chainPem);
  await writeFile(file("device.key"), issued.privateKeyPem, { mode: 0o600 });
  const configuration = renderTemplate({
    provisioning: {
      source: "dps",
      id_scope: emulator.ready.idScope,
      attestation: {
        method: "x509",
        registration_id: registrationId,
        identity_cert: file("device.pem"),
        identity_pk: file("device.key"),
      },
    },
    network: { trust_bundle: emulator.ready.caFile, connect_to: [...emulator.connectTo] },
    telemetry: { interval: "2s" },
    methods: { greet: { command: [process.execPath, "-p", "JSON.stringify({ hello: 'from the device' })"] } },
    state: { directory: file("state") },
  });
  await writeFile(file("landfall.toml"), configuration, { mode: 0o600 });
  return file("landfall.toml");
}
