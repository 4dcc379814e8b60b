import type { X509Certificate } from "node:crypto";
import { LandfallError } from "../errors.ts";
import type { CertificateChain } from "./certificate-chain.ts";

/** How far a machine's clock may be off before we stop doubting the clock and start doubting the certificate. */
export const toleratedSkewMs = 10 * 60_000;

/**
 * Checks that every certificate of the chain is valid at `nowMs`; an expired intermediate is refused by the service as
 * surely as an expired leaf.
 *
 * Throws `certificate.not-valid-now`, naming both dates and the time of this machine, except within
 * {@link toleratedSkewMs} of either edge: there a clock that is a little off cannot be told from a certificate that
 * is, and the service, whose clock is right, has the last word. Then the doubt is returned as a warning.
 */
export function checkValidity(chain: CertificateChain, nowMs: number): readonly string[] {
  return chain.flatMap((certificate) => {
    const outsideMs = distanceFromValidity(certificate, nowMs);
    if (outsideMs === 0) return [];
    const message = describe(certificate, nowMs);
    if (outsideMs > toleratedSkewMs) throw new LandfallError("certificate.not-valid-now", message);
    return [`${message} The difference is small enough for a clock that is off, so it is tried all the same.`];
  });
}

/** Milliseconds from `nowMs` to the nearest moment at which the certificate is valid; 0 if it is valid now. */
function distanceFromValidity({ validFrom, validTo }: X509Certificate, nowMs: number): number {
  return Math.max(0, Date.parse(validFrom) - nowMs, nowMs - Date.parse(validTo));
}

function describe({ subject, validFrom, validTo }: X509Certificate, nowMs: number): string {
  const [from, to, now] = [Date.parse(validFrom), Date.parse(validTo), nowMs].map((ms) => new Date(ms).toISOString());
  const state = nowMs < Date.parse(validFrom) ? "is not valid yet" : "has expired";
  const name = subject.replaceAll("\n", ", ");
  return `The certificate of ${name} ${state}: it is valid from ${from} to ${to}, and this machine's time is ${now}.`;
}
