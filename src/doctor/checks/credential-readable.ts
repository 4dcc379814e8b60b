import { isLandfallError } from "../../errors.ts";
import { defineCheck } from "../check.ts";
import type { DoctorContext } from "../context.ts";
import { identityOf } from "../identity.ts";
import { saidBy } from "../words.ts";

/** Whether key and certificate are there and can be read. */
export const credentialReadable = defineCheck({
  id: "credential.readable",
  group: "credential",
  title: "Key and certificate",
  does: "Opens the key and the certificates that the configuration names. Contacts nothing.",
  dependsOn: ["config.valid"],
  failures: {
    unreadable: {
      status: "failed",
      when: "A key or certificate is not there, not readable, encrypted with another password, or of an unsupported kind.",
      cause: "A wrong path or password, or a file that another tool wrote in another form.",
      remedy: "What the error advises.",
    },
  },
  async run(context, { found }) {
    const identity = identityOf(context.settings);
    const parts = await context.certificate();
    const errors = parts?.errors ?? (await use(context).then(none, (error: unknown) => [error]));
    const findings = errors.map((error) =>
      found("unreadable", {
        text: saidBy(error),
        ...(isLandfallError(error) ? { cause: error.message, remedy: error.remedy } : {}),
      }),
    );
    const key = parts?.publicKey;
    const what = names[identity.method] ?? `${key?.asymmetricKeyType ?? "unknown"} key`;
    return {
      summary: findings.length === 0 ? `${what}, ready` : "cannot be used",
      findings,
      data: { method: identity.method },
    };
  },
});

const names: Readonly<Record<string, string>> = { symmetric_key: "symmetric key", tpm: "TPM" };

/** A TPM shows what it is worth when its keys are asked for. */
async function use(context: DoctorContext): Promise<void> {
  const { attestation } = await context.attestation();
  await attestation.evidence();
}

const none = (): unknown[] => [];
