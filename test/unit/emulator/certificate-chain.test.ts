import { X509Certificate } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import { CertificateAuthority } from "../../../src/emulator/certificate-authority.ts";
import {
  commonNameOf,
  isIssuedBy,
  isValidAt,
  judgePath,
  pathsToAnchors,
  thumbprintsOf,
} from "../../../src/emulator/certificate-chain.ts";

let root: CertificateAuthority;
let middle: CertificateAuthority;
let stranger: CertificateAuthority;
let leaf: X509Certificate;
const validity = { notBefore: new Date("2026-01-01"), notAfter: new Date("2026-12-31") };
const certificateOf = ({ certificatePem }: { certificatePem: string }) => new X509Certificate(certificatePem);
const names = (paths: readonly (readonly X509Certificate[])[]) => paths.map((path) => path.map(commonNameOf));

beforeAll(async () => {
  root = await CertificateAuthority.create({ commonName: "Root", ...validity });
  middle = await root.issueAuthority({ commonName: "Middle", ...validity });
  stranger = await CertificateAuthority.create({ commonName: "Root", ...validity });
  leaf = certificateOf(await middle.issue({ commonName: "dev", usage: "client", ...validity }));
});

describe("the paths from a leaf to its authorities", () => {
  test("come nearest first, whether or not the authority was sent", () => {
    const [top, mid] = [root, middle].map(certificateOf) as [X509Certificate, X509Certificate];
    expect(names(pathsToAnchors([leaf, mid], [top, mid]))).toEqual([
      ["dev", "Middle"],
      ["dev", "Middle", "Root"],
    ]);
    expect(names(pathsToAnchors([leaf, mid, top], [top]))).toEqual([["dev", "Middle", "Root"]]);
    expect(names(pathsToAnchors([leaf], [mid, top]))).toEqual([["dev", "Middle"]]);
  });

  test("do not exist over a gap, over another key of the same name, or from nothing", () => {
    expect(pathsToAnchors([leaf], [certificateOf(root)])).toEqual([]);
    expect(pathsToAnchors([leaf, certificateOf(middle)], [certificateOf(stranger)])).toEqual([]);
    expect(pathsToAnchors([], [certificateOf(root)])).toEqual([]);
    expect(pathsToAnchors([leaf, certificateOf(stranger)], [certificateOf(stranger)])).toEqual([]);
    // The second certificate leads to the authority, but did not sign the first.
    expect(pathsToAnchors([certificateOf(stranger), certificateOf(middle)], [certificateOf(root)])).toEqual([]);
  });

  test("do not end where they begin: a certificate is not its own authority", () => {
    expect(pathsToAnchors([leaf], [leaf])).toEqual([]);
    expect(pathsToAnchors([certificateOf(root)], [certificateOf(root)])).toEqual([]);
  });
});

describe("the judgement of a path", () => {
  const at = Date.parse("2026-06-01");

  test("wants every certificate to be valid at that time", () => {
    const path = [leaf, certificateOf(middle), certificateOf(root)];
    expect(judgePath(path, at)).toBeUndefined();
    expect(judgePath(path, Date.parse("2025-12-31T23:59:59Z"))).toMatchObject({
      kind: "not-valid-now",
      subject: "CN=dev",
    });
    expect(judgePath(path, Date.parse("2027-01-01"))).toMatchObject({ kind: "not-valid-now" });
    expect([isValidAt(leaf, validity.notBefore.getTime()), isValidAt(leaf, validity.notAfter.getTime())]).toEqual([
      true,
      true,
    ]);
  });

  test("wants everything above the leaf to be an authority, and something to be there at all", () => {
    expect(judgePath([leaf, leaf], at)).toMatchObject({ kind: "not-an-authority", subject: "CN=dev" });
    expect(judgePath([], at)).toMatchObject({ kind: "no-certificate" });
  });
});

describe("a certificate", () => {
  test("has the thumbprints that Azure shows: capital hexadecimal digits", () => {
    const { sha1, sha256 } = thumbprintsOf(leaf);
    expect([sha1, sha256]).toEqual([expect.stringMatching(/^[0-9A-F]{40}$/), expect.stringMatching(/^[0-9A-F]{64}$/)]);
  });

  test("is issued by its issuer only, be the other one's key of another kind", async () => {
    const rsa = await CertificateAuthority.create({ commonName: "Middle", keyType: "rsa", ...validity });
    expect(isIssuedBy(leaf, certificateOf(middle))).toBe(true);
    expect(isIssuedBy(leaf, certificateOf(rsa))).toBe(false);
    expect(isIssuedBy(certificateOf(middle), leaf)).toBe(false);
  });

  test("is not issued by anybody once its signature is spoilt", () => {
    const der = Buffer.from(leaf.raw);
    der[der.length - 1] = (der.at(-1) ?? 0) ^ 1;
    expect(isIssuedBy(new X509Certificate(der), certificateOf(middle))).toBe(false);
  });
});
