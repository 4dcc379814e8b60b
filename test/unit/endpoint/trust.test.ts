import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readTrustBundle } from "../../../src/endpoint/trust.ts";
import { testAuthority } from "../../support/tls-peer.ts";

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "landfall-trust-"));
});
afterAll(() => rm(directory, { recursive: true }));

async function bundle(text: string): Promise<string> {
  const file = join(directory, "ca.pem");
  await writeFile(file, text);
  return file;
}

describe("a trust bundle", () => {
  test("is every certificate of the file, and nothing else that stands there", async () => {
    const { certificatePem } = await testAuthority();
    const pem = await readTrustBundle(await bundle(`# our root\n${certificatePem}\nand again\n${certificatePem}`));
    expect(pem.match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
    expect(pem).not.toContain("our root");
  });

  test("that cannot be read is said to be that", async () => {
    await expect(readTrustBundle(join(directory, "absent.pem"))).rejects.toThrowError(
      expect.objectContaining({ code: "config.secret-unreadable", cause: expect.objectContaining({ code: "ENOENT" }) }),
    );
  });

  test("that holds no certificate is refused", async () => {
    await expect(readTrustBundle(await bundle("-----BEGIN PUBLIC KEY-----\n"))).rejects.toThrowError(
      expect.objectContaining({ code: "certificate.unusable" }),
    );
  });

  test("that holds a broken certificate is refused, with its place", async () => {
    const { certificatePem } = await testAuthority();
    const file = await bundle(`${certificatePem}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`);
    await expect(readTrustBundle(file)).rejects.toThrowError(
      expect.objectContaining({ code: "certificate.unusable", message: expect.stringContaining("certificate 2 ") }),
    );
  });
});
