import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { CertificateAuthority } from "../../src/emulator/index.ts";

/** The functions that read a name by a form of the certificate that Node 20 makes at a price. */
const readers = [
  ["src/keys/certificate-chain.js", "commonNames"],
  ["src/emulator/certificate-chain.js", "commonNameOf"],
] as const;

/** Reads a certificate's name as the first thing in a process, and then wants to make a TLS context. */
const program = `
  const [module, name, pem] = process.argv.slice(1);
  const { X509Certificate } = await import("node:crypto");
  const reader = await import(module);
  const read = reader[name](new X509Certificate(pem));
  const { default: tls } = await import("node:tls");
  console.log(String(read), typeof tls.createSecureContext);
`;

test.each(readers)("TLS can be used after %s has read a certificate's name", async (module, name) => {
  const { certificatePem } = await CertificateAuthority.create({ commonName: "Factory root" });
  const url = new URL(`../../dist/${module}`, import.meta.url);
  const args = ["--input-type=module", "-e", program, fileURLToPath(url), name, certificatePem];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  expect(stdout).toBe("Factory root function\n");
});
