import { X509Certificate } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import { CertificateAuthority } from "../../../src/emulator/certificate-authority.ts";
import type { CertificateChain } from "../../../src/keys/certificate-chain.ts";
import { checkBegun, checkNotExpired } from "../../../src/keys/certificate-validity.ts";

const notBefore = new Date("2026-03-01T00:00:00Z");
const notAfter = new Date("2026-09-01T00:00:00Z");
const issuerNotAfter = new Date("2026-08-01T00:00:00Z");
const minutesMs = 60_000;
let leafOnly: CertificateChain;
let withIssuer: CertificateChain;

beforeAll(async () => {
  const root = await CertificateAuthority.create({ commonName: "Factory root" });
  const line = await root.issueAuthority({ commonName: "Line", notBefore, notAfter: issuerNotAfter });
  const issued = await line.issue({ commonName: "sensor-17", usage: "client", notBefore, notAfter });
  const leaf = new X509Certificate(issued.certificatePem);
  leafOnly = [leaf];
  withIssuer = [leaf, new X509Certificate(line.certificatePem)];
});

describe("the validity of a certificate", () => {
  test.each([
    ["the first moment", notBefore.getTime()],
    ["in between", Date.UTC(2026, 5, 1)],
    ["the last moment", notAfter.getTime()],
  ])("holds at %s", (_, now) => {
    expect(checkNotExpired(leafOnly, now)).toEqual([]);
    expect(() => checkBegun(leafOnly, now)).not.toThrow();
  });

  test.each([
    ["before it begins", notBefore.getTime() - 1, "not valid yet"],
    ["ten minutes before it begins", notBefore.getTime() - 10 * minutesMs, "not valid yet"],
    ["after its end", notAfter.getTime() + 1000, "has expired"],
    ["ten minutes after its end", notAfter.getTime() + 10 * minutesMs, "has expired"],
  ])("is doubted, not denied, %s", (_, now, state) => {
    expect(checkNotExpired(leafOnly, now)).toEqual([expect.stringMatching(new RegExp(`${state}.*clock.*tried`))]);
    expect(() => checkBegun(leafOnly, now)).not.toThrow();
  });

  test("is denied more than ten minutes after its end, naming the dates and the time", () => {
    const now = notAfter.getTime() + 10 * minutesMs + 1;
    expect(() => checkNotExpired(leafOnly, now)).toThrow(
      expect.objectContaining({ code: "certificate.not-valid-now", message: expect.stringContaining("has expired") }),
    );
    expect(() => checkBegun(leafOnly, now)).not.toThrow();
    for (const date of [notBefore, notAfter, new Date(now)]) {
      expect(() => checkNotExpired(leafOnly, now)).toThrow(date.toISOString());
    }
    expect(() => checkNotExpired(leafOnly, now)).toThrow("sensor-17");
  });

  test.each([
    ["more than ten minutes before it begins", notBefore.getTime() - 10 * minutesMs - 1],
    ["with a clock that was never set", 0],
  ])("is waited for %s, naming the dates and the time", (_, now) => {
    expect(checkNotExpired(leafOnly, now)).toEqual([expect.stringMatching(/not valid yet.*not used before/)]);
    expect(() => checkBegun(leafOnly, now)).toThrow(
      expect.objectContaining({ code: "certificate.not-valid-yet", retry: "backoff" }),
    );
    for (const text of [...[notBefore, notAfter, new Date(now)].map((date) => date.toISOString()), "sensor-17"]) {
      expect(() => checkBegun(leafOnly, now)).toThrow(text);
    }
  });

  test("is asked of the issuers as well", () => {
    const now = issuerNotAfter.getTime() + 11 * minutesMs;
    expect(checkNotExpired(leafOnly, now)).toEqual([]);
    expect(() => checkNotExpired(withIssuer, now)).toThrow("CN=Line has expired");
    expect(() => checkBegun(withIssuer, 0)).toThrow("not valid yet");
  });
});
