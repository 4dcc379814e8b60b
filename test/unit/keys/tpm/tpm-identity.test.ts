import fc from "fast-check";
import { expect, test } from "vitest";
import type { Clock } from "../../../../src/clock.ts";
import { isLandfallError } from "../../../../src/errors.ts";
import { Tpm } from "../../../../src/keys/tpm/tpm.ts";
import { TpmIdentity } from "../../../../src/keys/tpm/tpm-identity.ts";
import { activationVectors } from "../../../support/paper-tpm.ts";
import { ScriptedTpm } from "../../../support/scripted-tpm.ts";

/** Pauses pass at once, and nothing ever takes too long. */
const hastyClock: Clock = {
  now: () => 0,
  elapsed: () => 0,
  sleep: (ms, { signal } = {}) =>
    ms > 60_000
      ? new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason), { once: true }))
      : Promise.resolve(),
};

/** Answers of a TPM that has lost its mind: frames that are right, with codes and contents that are anything. */
const answer = fc
  .record({
    tag: fc.constantFrom("8001", "8002"),
    code: fc.oneof(
      { weight: 5, arbitrary: fc.constant(0) },
      fc.constantFrom(0x18b, 0x101, 0x922, 0x902, 0x921, 0x14b),
      fc.nat(0xfff),
    ),
    content: fc.oneof(
      fc.uint8Array({ maxLength: 120 }),
      // Handles, and sizes that are small, get further into a reader.
      fc
        .array(fc.constantFrom("80000000", "03000000", "81000100", "0000", "0001", "0020", "00000001", "0001aa"), {
          maxLength: 20,
        })
        .map((parts) => Buffer.from(parts.join(""), "hex")),
    ),
  })
  .map(({ tag, code, content }) => {
    const hex = Buffer.from(content).toString("hex");
    const size = (10 + hex.length / 2).toString(16).padStart(8, "0");
    return `${tag}${size}${code.toString(16).padStart(8, "0")}${hex}`;
  });

const blob = Buffer.from(activationVectors.blobs[0]?.blob ?? "", "base64");

test.each([
  ["the root keys", (identity: TpmIdentity) => identity.rootKeys()],
  ["the endorsement certificate", (identity: TpmIdentity) => identity.endorsementCertificate()],
  ["the key of a challenge", (identity: TpmIdentity) => identity.activateForRegistration(blob)],
  ["the key of an assignment", (identity: TpmIdentity) => identity.activateForHub(blob)],
  ["a long signature", (identity: TpmIdentity) => identity.hubSigner().sign(Buffer.alloc(5000))],
])(
  "whatever a TPM answers when asked for %s, it comes to an end, with a result or an error with a name",
  async (_, ask) => {
    const answers = fc.array(answer, { maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(answers, answer, async (script, otherwise) => {
        const tpm = new ScriptedTpm(script, otherwise);
        await using identity = new TpmIdentity({ tpm: new Tpm({ open: tpm.open, clock: hastyClock }) });
        try {
          await ask(identity);
        } catch (error) {
          if (!isLandfallError(error) || !error.code.startsWith("tpm.")) throw error;
        }
        expect(tpm.lines).toBe(0);
      }),
      { numRuns: 60 },
    );
  },
);
