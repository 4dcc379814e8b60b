import type { X509Certificate } from "node:crypto";
import { LandfallError } from "../errors.ts";
import type { CertificateChain } from "./certificate-chain.ts";

/** How far a machine's clock may be off before we stop doubting the clock and start doubting the certificate. */
export const toleratedSkewMs = 10 * 60_000;

/**
 * Checks that no certificate of the chain has expired at `nowMs`; an expired intermediate is refused by the service as
 * surely as an expired leaf. Returns what a person should know.
 *
 * Throws `certificate.not-valid-now`, naming both dates and the time of this machine, except within
 * {@link toleratedSkewMs} of the end: there a clock that is a little off cannot be told from a certificate that is, and
 * the service, whose clock is right, has the last word. Then the doubt is returned as a warning. So it is for a
 * certificate that is not valid yet, however far off: a machine without a battery for its clock starts in the past, and
 * is told the time soon.
 */
export function checkNotExpired(chain: CertificateChain, nowMs: number): readonly string[] {
  return chain.flatMap((certificate) => {
    const { earlyMs, lateMs } = distances(certificate, nowMs);
    if (earlyMs === 0 && lateMs === 0) return [];
    const message = describe(certificate, nowMs);
    if (lateMs > toleratedSkewMs) throw new LandfallError("certificate.not-valid-now", message);
    if (earlyMs > toleratedSkewMs) return [`${message} It is not used before this machine's time has come so far.`];
    return [`${message} The difference is small enough for a clock that is off, so it is tried all the same.`];
  });
}

/**
 * Checks that the validity of every certificate of the chain has begun at `nowMs`, give or take {@link toleratedSkewMs}.
 * Throws `certificate.not-valid-yet`, which passes as time does.
 */
export function checkBegun(chain: CertificateChain, nowMs: number): void {
  const early = chain.find((certificate) => distances(certificate, nowMs).earlyMs > toleratedSkewMs);
  if (early !== undefined) throw new LandfallError("certificate.not-valid-yet", describe(early, nowMs));
}

/** How long before the certificate's first moment, and how long after its last one, `nowMs` is; 0 where it is not. */
function distances({ validFrom, validTo }: X509Certificate, nowMs: number) {
  return { earlyMs: Math.max(0, Date.parse(validFrom) - nowMs), lateMs: Math.max(0, nowMs - Date.parse(validTo)) };
}

function describe({ subject, validFrom, validTo }: X509Certificate, nowMs: number): string {
  const [from, to, now] = [Date.parse(validFrom), Date.parse(validTo), nowMs].map((ms) => new Date(ms).toISOString());
  const state = nowMs < Date.parse(validFrom) ? "is not valid yet" : "has expired";
  const name = subject.replaceAll("\n", ", ");
  return `The certificate of ${name} ${state}: it is valid from ${from} to ${to}, and this machine's time is ${now}.`;
}
