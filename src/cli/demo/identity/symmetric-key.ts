import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { IdentityKind } from "./identity.ts";

/** A key that device and cloud both have. */
export const symmetricKey: IdentityKind = {
  require: async () => {},
  async make({ emulator, registrationId, directory }) {
    const enrollment = emulator.dps.enroll({ registrationId, attestation: { method: "symmetric_key" } });
    const file = join(directory, "device.key");
    await writeFile(file, enrollment.deviceKey(), { mode: 0o600 });
    return {
      told: "symmetric key of an individual enrollment; it is in a file here, and DPS has it as well",
      provisioning: {
        attestation: {
          method: "symmetric_key",
          registration_id: registrationId,
          symmetric_key: { uri: pathToFileURL(file).href },
        },
      },
      env: {},
      credential: "sas",
      proof: "by a token signed with its key",
      async [Symbol.asyncDispose]() {},
    };
  },
};
