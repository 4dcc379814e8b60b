import { nameForDps, nameForHub } from "../../attestation/certificate-name.ts";
import { checkRegistrationId } from "../../attestation/registration-id.ts";
import { commonNames } from "../../keys/certificate-chain.ts";
import { defineCheck } from "../check.ts";
import { identityOf } from "../identity.ts";
import { saidBy } from "../words.ts";

/** Whether the certificate is for this device, and its id one that DPS takes. */
export const credentialName = defineCheck({
  id: "credential.name",
  group: "credential",
  title: "Registration id",
  does: "Holds the registration id against the rules of DPS, and the certificate's common name against it. Contacts nothing.",
  dependsOn: ["config.valid"],
  failures: {
    unusable: {
      status: "failed",
      when: "The registration id breaks the rules, or the certificate is for another device.",
      cause: "DPS requires the common name of the certificate to be the registration id.",
      remedy: "Change registration_id, or have a certificate issued with that common name.",
    },
    differs: {
      status: "warning",
      when: "The names differ in a way that may be meant.",
      cause: "Other capitals than in the certificate; or a hub that knows the device by its certificate's thumbprint.",
      remedy: "Write both in the same way, unless it is meant.",
    },
  },
  async run(context, { found }) {
    const identity = identityOf(context.settings);
    const isDps = context.settings.provisioning.source === "dps";
    try {
      const { chain } = (await context.certificate()) ?? {};
      const { registrationId } = identity;
      if (chain === undefined && registrationId === undefined)
        return { skipped: "there is no certificate to take an id from" };
      const nameFor = isDps ? nameForDps : nameForHub;
      const named =
        chain === undefined
          ? { id: registrationId ?? "", warnings: [] }
          : nameFor(commonNames(chain[0]), registrationId);
      if (isDps) checkRegistrationId(named.id, identity.method);
      return {
        summary: named.id,
        data: { id: named.id },
        findings: named.warnings.map((text) => found("differs", { text })),
      };
    } catch (error) {
      return { summary: "unusable", findings: [found("unusable", { text: saidBy(error) })] };
    }
  },
});
