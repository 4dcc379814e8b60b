import type { X509Certificate } from "node:crypto";
import { isIssuedBy } from "../../keys/certificate-chain.ts";
import { defineCheck } from "../check.ts";

/** The extended key usage of TLS clients. */
const clientAuthentication = "1.3.6.1.5.5.7.3.2";

/** Whether the certificates lead from one to the next, and the first one is fit for a client. */
export const certificateChain = defineCheck({
  id: "credential.chain",
  group: "credential",
  title: "Certificate chain",
  does: "Looks whether each certificate was issued by the next one, and whether the first is for TLS clients. Contacts nothing.",
  dependsOn: ["config.valid"],
  failures: {
    gap: {
      status: "warning",
      when: "A certificate was not issued by the one after it.",
      cause: "An intermediate certificate is missing, or the order is wrong: leaf first, then upwards.",
      remedy: "Put every intermediate into the file, in order. DPS verifies what it is sent, and nothing else.",
    },
    "not-for-clients": {
      status: "warning",
      when: "The certificate's extended key usage leaves TLS clients out, or it is one of an authority.",
      cause: "It was issued for a server, or is the authority's own.",
      remedy: "Have a certificate issued for client authentication.",
    },
  },
  async run(context, { found }) {
    const { chain } = (await context.certificate()) ?? {};
    if (chain === undefined) return { skipped: "there is no certificate to look at" };
    const gaps = chain.flatMap((certificate, at) => {
      const issuer = chain[at + 1];
      if (issuer === undefined || isIssuedBy(certificate, issuer)) return [];
      return [found("gap", { text: `certificate ${at + 1} was not issued by certificate ${at + 2}` })];
    });
    const [leaf] = chain;
    const unfit = isForClients(leaf) ? [] : [found("not-for-clients", { text: `the certificate ${leaf.subject}` })];
    const last = chain.at(-1) ?? leaf;
    return {
      summary: chain.length === 1 ? "one certificate" : `${chain.length} certificates`,
      findings: [...gaps, ...unfit],
      evidence: [`the last one was issued by ${last.issuer.replaceAll("\n", ", ")}`],
      data: { certificates: chain.length },
    };
  },
});

/** A certificate without extended key usage is fit for anything. */
function isForClients({ keyUsage, ca }: X509Certificate): boolean {
  const usages = keyUsage as readonly string[] | undefined;
  return !ca && (usages === undefined || usages.includes(clientAuthentication));
}
