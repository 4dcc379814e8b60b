import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatTpmUri, parseTpmUri, type TpmUri } from "../../../src/config/tpm-uri.ts";

const name = fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 }).filter((text) => !text.includes("\0"));
const uri: fc.Arbitrary<TpmUri> = fc.record({
  key: fc.oneof(
    fc.record({ kind: fc.constant("handle" as const), handle: fc.integer({ min: 0x81000000, max: 0x81ffffff }) }),
    fc.record({ kind: fc.constant("file" as const), path: name.map((text) => `/${text}`) }),
  ),
  location: fc.oneof(
    fc.constant({ kind: "device" as const, path: "/dev/tpmrm0" }),
    name.map((text) => ({ kind: "unix" as const, path: `/${text}` })),
    fc.record({
      kind: fc.constant("tcp" as const),
      host: fc.constantFrom("a-b.c", "::1"),
      port: fc.integer({ min: 1, max: 65_535 }),
    }),
  ),
});

describe("the URI of a key in a TPM", () => {
  test("is read back as it was written", () => {
    fc.assert(
      fc.property(uri, (given) => {
        expect(parseTpmUri(formatTpmUri(given))).toEqual({ value: given });
      }),
    );
  });

  test.each([
    ["/device.pem", "another text"],
    ["tpm:", "not handle="],
    ["tpm:at=device:/dev/tpm0", "or neither"],
    ["tpm:handle=0x81010010;file=/a", "both"],
    ["tpm:handle=0x81010010;handle=0x81010011", "handle twice"],
    ["tpm:handle=0x80000000", "outside"],
    ["tpm:handle=81010010", "outside"],
    ["tpm:file=device.pem", "absolute"],
    ["tpm:handle=0x81010010;at=/dev/tpm0", "at other than"],
    ["tpm:file=/a%zz", "not handle="],
    ["tpm:handle=0x81010010?pin-value=1", "outside"],
  ])("%s is refused", (text, found) => {
    expect(parseTpmUri(text)).toMatchObject({ problem: { found: expect.stringContaining(found) } });
  });
});
