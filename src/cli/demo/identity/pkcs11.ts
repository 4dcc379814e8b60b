import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CertificateAuthority } from "../../../emulator/index.ts";
import { isLandfallError, LandfallError } from "../../../errors.ts";
import { pkcs11EngineFolder } from "../../../keys/engine/engine-folder.ts";
import { runOurselves } from "../run-ourselves.ts";
import type { IdentityKind } from "./identity.ts";
import { requireProgram } from "./required-program.ts";
import { makeSoftToken, softModule } from "./soft-token.ts";

/** A certificate whose private key was made in a PKCS#11 token, signs there, and is nowhere else. */
export const pkcs11: IdentityKind = {
  async require() {
    await requireProgram("softhsm2-util", { debianPackage: "softhsm2" });
    await requireProgram("pkcs11-tool", { debianPackage: "opensc" });
    await requireEngine();
    await softModule();
  },

  async make({ emulator, registrationId, directory, signal }) {
    const factory = await CertificateAuthority.create({ commonName: "Demo factory" });
    emulator.dps.enroll({ group: "factory", attestation: { method: "x509", certificate: factory.certificatePem } });
    const token = await makeSoftToken(join(directory, "token"), { signal });
    const { env } = token;
    const key = token.uri("device");
    await runOurselves(["keys", "create", key], { env, signal });
    const request = await runOurselves(["keys", "csr", key, "--common-name", registrationId], { env, signal });
    const certificate = join(directory, "device.pem");
    await writeFile(certificate, await factory.answer(request));
    return {
      told: `X.509 certificate CN=${registrationId}; its EC key was made in a PKCS#11 token (SoftHSM2) and signs there`,
      provisioning: {
        attestation: {
          method: "x509",
          registration_id: registrationId,
          identity_cert: certificate,
          identity_pk: key,
        },
      },
      env,
      credential: "certificate",
      proof: "by mutual TLS, signed in the token",
      async [Symbol.asyncDispose]() {},
    };
  },
};

/** The engine that lets OpenSSL use the token. */
async function requireEngine(): Promise<void> {
  await pkcs11EngineFolder().catch((cause: unknown) => {
    const why = isLandfallError(cause) ? cause.message : "it cannot be looked for";
    const message = `The Debian package libengine-pkcs11-openssl is not installed. ${why}`;
    throw new LandfallError("key.engine-missing", message, { cause });
  });
}
