import { join } from "node:path";
import { systemClock } from "../../../clock.ts";
import { parseTpmLocation } from "../../../config/tpm-location.ts";
import { openTpmIdentity } from "../../../keys/tpm/open-tpm-identity.ts";
import { untrue } from "../stage.ts";
import type { IdentityKind } from "./identity.ts";
import { requireProgram } from "./required-program.ts";
import { SoftTpm } from "./soft-tpm.ts";

/** A TPM, in software: DPS knows its endorsement key and sends it a key that nobody else can take in. */
export const tpm: IdentityKind = {
  require: () => requireProgram("swtpm", { debianPackage: "swtpm" }),
  async make({ emulator, registrationId, directory, signal }) {
    const softTpm = await SoftTpm.start(join(directory, "tpm"), { signal });
    try {
      const endorsementKey = await endorsementKeyOf(softTpm, signal);
      emulator.dps.enroll({ registrationId, attestation: { method: "tpm", endorsementKey } });
    } catch (error) {
      await softTpm[Symbol.asyncDispose]();
      throw error;
    }
    return {
      told: "endorsement key of a TPM 2.0 (swtpm), private half in the TPM alone; DPS has the public half",
      provisioning: {
        // DPS takes a TPM over HTTPS, not over MQTT.
        transport: "https",
        attestation: { method: "tpm", registration_id: registrationId, tpm: softTpm.location },
      },
      env: {},
      credential: "sas",
      proof: "by a token signed in the TPM",
      [Symbol.asyncDispose]: () => softTpm[Symbol.asyncDispose](),
    };
  },
};

/** What `landfall keys tpm` prints for an enrollment; a blank TPM makes the key now. */
async function endorsementKeyOf({ location }: SoftTpm, signal: AbortSignal): Promise<string> {
  const parsed = parseTpmLocation(location);
  if (parsed === undefined) throw untrue(`${location} names a TPM`);
  await using identity = openTpmIdentity({ tpm: parsed, keyTemplate: "tcg" }, { clock: systemClock });
  const { endorsementKey } = await identity.rootKeys({ signal });
  return endorsementKey.toString("base64");
}
