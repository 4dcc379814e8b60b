import type { X509Certificate } from "node:crypto";
import { defineCheck } from "../check.ts";

const day = 24 * 60 * 60 * 1000;
const noticeDays = 30;

/** Whether every certificate of the chain is valid, and for how long. */
export const credentialValidity = defineCheck({
  id: "credential.validity",
  group: "credential",
  title: "Validity of the certificate",
  does: "Holds the dates of every certificate that is sent against this machine's clock. Contacts nothing.",
  dependsOn: ["config.valid"],
  failures: {
    expired: {
      status: "failed",
      when: "A certificate is expired.",
      cause: "It was not renewed, or this machine's clock is ahead.",
      remedy: "Renew the certificate; look at the clock first.",
    },
    "not-yet": {
      status: "failed",
      when: "A certificate is not valid yet.",
      cause: "Likely this machine's clock is behind.",
      remedy: "Set the clock, and let it follow a time server (NTP).",
    },
    expires: {
      status: "warning",
      when: `A certificate expires within ${noticeDays} days.`,
      cause: "Its life comes to an end.",
      remedy: "Renew the certificate.",
    },
  },
  async run(context, { found }) {
    const { chain } = (await context.certificate()) ?? {};
    if (chain === undefined) return { skipped: "there is no certificate to look at" };
    const now = context.clock.now();
    const findings = chain.flatMap((certificate) => {
      const { from, until } = lifeOf(certificate);
      const name = nameOf(certificate);
      if (now > until) return [found("expired", { text: `${name} expired on ${dateOf(until)}` })];
      if (now < from) return [found("not-yet", { text: `${name} is valid from ${dateOf(from)}` })];
      const left = Math.floor((until - now) / day);
      return left < noticeDays
        ? [found("expires", { text: `${name} expires on ${dateOf(until)}, in ${left} days` })]
        : [];
    });
    const end = Math.min(...chain.map((certificate) => lifeOf(certificate).until));
    return {
      summary: `until ${dateOf(end)}`,
      findings,
      evidence: chain.map((each) => `${nameOf(each)}: ${dateOf(lifeOf(each).from)} to ${dateOf(lifeOf(each).until)}`),
      data: { validUntil: end },
    };
  },
});

function lifeOf({ validFrom, validTo }: X509Certificate): { readonly from: number; readonly until: number } {
  return { from: Date.parse(validFrom), until: Date.parse(validTo) };
}

function nameOf({ subject }: X509Certificate): string {
  return subject.replaceAll("\n", ", ");
}

function dateOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
