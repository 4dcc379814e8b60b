import type { AttestationMethod } from "../attestation/attestation.ts";
import { LandfallError } from "../errors.ts";
import type { TransportAbilities } from "../transport/transport.ts";

/** As much of a transport as is needed to judge it before anything is dialled. */
export interface TransportCandidate {
  readonly name: string;
  readonly abilities: TransportAbilities;
}

/** What registering with each attestation takes from a transport. */
const needs = {
  x509: { credential: "certificate", challenge: false },
  symmetric_key: { credential: "sas", challenge: false },
  tpm: { credential: "sas", challenge: true },
} as const satisfies Record<AttestationMethod, { credential: string; challenge: boolean }>;

/** Whether a registration with `method` can travel over `transport`. */
export function canRegister(method: AttestationMethod, { abilities }: TransportCandidate): boolean {
  const { credential, challenge } = needs[method];
  return abilities.credentials.includes(credential) && (abilities.challenge || !challenge);
}

/**
 * Refuses a pair that DPS does not support; an agent calls it when it is built, so that nothing is dialled in vain.
 * @param alternatives the transports that could be had instead; the message names those that would do
 * @throws `attestation.unsupported-pair`
 */
export function requireSupportedPair(
  method: AttestationMethod,
  transport: TransportCandidate,
  alternatives: readonly TransportCandidate[] = [],
): void {
  if (canRegister(method, transport)) return;
  const { credential, challenge } = needs[method];
  const need = challenge ? `a ${credential} credential and a challenge` : `a ${credential} credential`;
  const able = alternatives.filter((candidate) => canRegister(method, candidate)).map(({ name }) => name);
  // DPS takes TPM attestation over HTTPS (and AMQP, which landfall does not speak), not over MQTT.
  const instead = able.length > 0 ? able.join(", ") : challenge ? "https" : "none of those at hand";
  throw new LandfallError(
    "attestation.unsupported-pair",
    `attestation "${method}" needs a transport that carries ${need}, which "${transport.name}" does not; ` +
      `transports that do: ${instead}`,
  );
}

/**
 * The same for a session with a hub, where no challenge is asked.
 * @throws `attestation.unsupported-pair`
 */
export function requireSupportedSession(method: AttestationMethod, { name, abilities }: TransportCandidate): void {
  const { credential } = needs[method];
  if (abilities.credentials.includes(credential)) return;
  throw new LandfallError(
    "attestation.unsupported-pair",
    `attestation "${method}" serves a hub with a ${credential} credential, which the transport "${name}" does not carry; ` +
      `it carries: ${abilities.credentials.join(", ") || "none"}`,
  );
}
