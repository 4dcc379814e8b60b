import { describe, expect, test } from "vitest";
import type { AttestationMethod } from "../../../src/attestation/attestation.ts";
import {
  canRegister,
  requireSupportedPair,
  type TransportCandidate,
} from "../../../src/provisioning/supported-pair.ts";

const mqtt: TransportCandidate = {
  name: "mqtt",
  abilities: { credentials: ["certificate", "sas"], challenge: false },
};
const https: TransportCandidate = {
  name: "https",
  abilities: { credentials: ["certificate", "sas"], challenge: true },
};
const tokensOnly: TransportCandidate = { name: "tokens-only", abilities: { credentials: ["sas"], challenge: false } };

describe("attestation and transport", () => {
  test.each<[AttestationMethod, TransportCandidate, boolean]>([
    ["x509", mqtt, true],
    ["x509", https, true],
    ["x509", tokensOnly, false],
    ["symmetric_key", mqtt, true],
    ["symmetric_key", tokensOnly, true],
    ["tpm", mqtt, false],
    ["tpm", https, true],
  ])("%s over $name: %s", (method, transport, expected) => {
    expect(canRegister(method, transport)).toBe(expected);
    const check = () => requireSupportedPair(method, transport);
    if (expected) expect(check).not.toThrow();
    else expect(check).toThrow(expect.objectContaining({ code: "attestation.unsupported-pair", retry: "never" }));
  });

  test("the message names what is needed and which transports have it", () => {
    expect(() => requireSupportedPair("tpm", mqtt, [mqtt, tokensOnly, https])).toThrow(
      'attestation "tpm" needs a transport that carries a sas credential and a challenge, which "mqtt" does not; ' +
        "transports that do: https",
    );
    expect(() => requireSupportedPair("x509", tokensOnly, [tokensOnly, mqtt, https])).toThrow("do: mqtt, https");
    expect(() => requireSupportedPair("x509", tokensOnly)).toThrow("none of those at hand");
  });
});
