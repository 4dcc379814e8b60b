import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { deriveDeviceKey } from "../../../src/attestation/derive-key.ts";
import { SymmetricKey } from "../../../src/keys/symmetric-key.ts";
import { Secret } from "../../../src/secret.ts";

interface Vector {
  readonly name: string;
  readonly groupKey: string;
  readonly registrationId: string;
  readonly deviceKey: string;
}

const vectors = JSON.parse(readFileSync("test/vectors/derived-key.json", "utf8")) as {
  readonly keys: readonly Vector[];
};

describe("a device key derived from a group key", () => {
  test.each(vectors.keys)("is the service's: $name", async ({ groupKey, registrationId, deviceKey }) => {
    const derived = await deriveDeviceKey(SymmetricKey.parse(new Secret(groupKey)), registrationId);
    expect(derived.toBase64().reveal()).toBe(deviceKey);
  });
});
