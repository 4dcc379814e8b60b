import { isSamePublicKey } from "../../keys/same-public-key.ts";
import { defineCheck } from "../check.ts";

/** Whether the private key is that of the first certificate. */
export const keyMatch = defineCheck({
  id: "credential.key-match",
  group: "credential",
  title: "Key and certificate belong together",
  does: "Compares the public halves of the private key and of the first certificate. Contacts nothing.",
  dependsOn: ["config.valid"],
  failures: {
    mismatch: {
      status: "failed",
      when: "The private key belongs to another certificate.",
      cause: "Key and certificate are of different renewals, or the chain is in the wrong order.",
      remedy: "Point identity_cert and identity_pk at a pair; the device's own certificate comes first in its file.",
    },
  },
  async run(context, { found }) {
    const { chain, publicKey, location } = (await context.certificate()) ?? {};
    if (chain === undefined || publicKey === undefined)
      return { skipped: "there is no certificate, or no key, to compare" };
    const at = chain.findIndex((each) => isSamePublicKey(each.publicKey, publicKey));
    if (at === 0) return { summary: "they do" };
    const hint = at > 0 ? `; it belongs to certificate ${at + 1} there` : "";
    const text = `the private key does not belong to the first certificate of ${location}${hint}`;
    return { summary: "they do not", findings: [found("mismatch", { text })] };
  },
});
