import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Pkcs11Uri, parsePkcs11Uri, shownPkcs11Uri } from "../../../src/config/pkcs11-uri.ts";
import { Secret } from "../../../src/secret.ts";

const word = fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 }).filter((text) => !text.includes("\0"));

const path = fc.record(
  {
    token: word,
    manufacturer: word,
    model: word,
    serial: word,
    object: word,
    id: fc.uint8Array({ minLength: 1, maxLength: 8 }),
    type: fc.constantFrom("private" as const, "public" as const, "cert" as const),
  },
  { requiredKeys: ["object"] },
);
const uri: fc.Arbitrary<Pkcs11Uri> = fc.record(
  {
    path,
    modulePath: word.map((text) => `/${text}`),
    moduleName: fc.constantFrom("softhsm2", "p11-kit-proxy"),
    pinSource: fc.oneof(
      word.map((text) => ({ kind: "file" as const, file: `/a${text}` })),
      fc.constantFrom({ kind: "environment" as const, variable: "TOKEN_PIN" }),
    ),
  },
  { requiredKeys: ["path"] },
);

describe("a PKCS#11 URI", () => {
  test("is read back as it was written, whatever is in it", () => {
    fc.assert(
      fc.property(uri, (given) => {
        expect(parsePkcs11Uri(shownPkcs11Uri(given))).toEqual({ value: given });
      }),
    );
  });

  test("gives a value or a problem for any text, and never shows the PIN", () => {
    const pieces = fc.constantFrom("pkcs11:", "token=", "object=", "id=", "%00", "%zz", "%41", ";", "?", "&", "x", "é");
    const pin = "pin-value=98761234";
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 12 }), fc.nat(12), (before, at) => {
        const text = (before as string[]).toSpliced(at, 0, pin).join("");
        const result = parsePkcs11Uri(text);
        if ("problem" in result) expect(JSON.stringify(result)).not.toContain("98761234");
        else if (result.value.pinValue) expect(shownPkcs11Uri(result.value)).not.toContain("98761234");
      }),
    );
  });

  test("may name token, object and id, escaped", () => {
    expect(parsePkcs11Uri("pkcs11:token=My%20token;object=key,1;id=%01%fe;type=private")).toEqual({
      value: { path: { token: "My token", object: "key,1", id: Uint8Array.of(1, 254), type: "private" } },
    });
  });

  test.each([
    ["file:/run/pin", { kind: "file", file: "/run/pin" }],
    ["file:///run/pin", { kind: "file", file: "/run/pin" }],
    ["/run/pin", { kind: "file", file: "/run/pin" }],
    ["file:/run/my%20pin", { kind: "file", file: "/run/my pin" }],
    ["env:TOKEN_PIN", { kind: "environment", variable: "TOKEN_PIN" }],
  ])("takes its PIN from %s", (source, pinSource) => {
    expect(parsePkcs11Uri(`pkcs11:object=k?pin-source=${source}`)).toMatchObject({ value: { pinSource } });
  });

  test("takes a PIN that stands in it, as a secret", () => {
    const result = parsePkcs11Uri("pkcs11:object=k?pin-value=12%2634&module-path=/lib/m.so");
    expect(result).toMatchObject({ value: { pinValue: expect.any(Secret), modulePath: "/lib/m.so" } });
    expect("value" in result && result.value.pinValue?.reveal()).toBe("12&34");
  });

  test.each([
    ["file:/device.pem", "another text"],
    ["pkcs11:", "names neither token nor object"],
    ["pkcs11:type=private", "names neither token nor object"],
    ["pkcs11:object", "not name=value"],
    ["pkcs11:object=a;object=b", "object twice"],
    ["pkcs11:object=a b", "%XX"],
    ["pkcs11:object=%C3", "not UTF-8"],
    ["pkcs11:object=%00", "zero"],
    ["pkcs11:object=k;slot-id=1", "slot-id"],
    ["pkcs11:object=k;type=data", "type other than"],
    ["pkcs11:object=k?colour=red", "colour"],
    ["pkcs11:object=k?module-path=m.so", "absolute"],
    ["pkcs11:object=k?module-name=../m", "not a name"],
    ["pkcs11:object=k?pin-source=|cat%20pin", "pin-source other than"],
    ["pkcs11:object=k?pin-source=https://host/pin", "pin-source other than"],
    ["pkcs11:object=k?pin-source=env:P&pin-value=1", "both"],
  ])("%s is refused", (text, found) => {
    expect(parsePkcs11Uri(text)).toMatchObject({ problem: { found: expect.stringContaining(found) } });
  });
});
