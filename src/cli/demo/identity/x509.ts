import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CertificateAuthority } from "../../../emulator/index.ts";
import type { IdentityKind } from "./identity.ts";

/** A certificate whose private key is a file. */
export const x509: IdentityKind = {
  require: async () => {},
  async make({ emulator, registrationId, directory }) {
    const factory = await CertificateAuthority.create({ commonName: "Demo factory" });
    emulator.dps.enroll({ group: "factory", attestation: { method: "x509", certificate: factory.certificatePem } });
    const issued = await factory.issue({ commonName: registrationId, usage: "client" });
    const [certificate, key] = [join(directory, "device.pem"), join(directory, "device.key")];
    await writeFile(certificate, issued.chainPem);
    await writeFile(key, issued.privateKeyPem, { mode: 0o600 });
    return {
      told: `X.509 certificate CN=${registrationId} of a CA that DPS has enrolled; its key is in a file`,
      provisioning: {
        attestation: {
          method: "x509",
          registration_id: registrationId,
          identity_cert: certificate,
          identity_pk: key,
        },
      },
      env: {},
      credential: "certificate",
      proof: "by mutual TLS",
      async [Symbol.asyncDispose]() {},
    };
  },
};
