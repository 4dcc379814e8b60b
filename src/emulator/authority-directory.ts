import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LandfallError } from "../errors.ts";
import { CertificateAuthority } from "./certificate-authority.ts";

/** The emulator's certificate authority and the file that clients trust it by. */
export interface StoredAuthority {
  readonly authority: CertificateAuthority;
  /** Path of the PEM file with the authority's certificate. */
  readonly caFile: string;
  /** Removes what does not outlive the emulator: everything when no directory was named, else nothing. */
  discard(): Promise<void>;
}

/**
 * Makes the emulator's authority, or takes up the one that an earlier start left in `directory`, so that a trust bundle
 * that was handed out goes on working. Without a directory the authority lives in a temporary one.
 * Rejects with `emulator.authority-unusable` when the files cannot be read, written or used.
 */
export async function openAuthority(directory: string | undefined): Promise<StoredAuthority> {
  try {
    if (directory === undefined) {
      const temporary = await mkdtemp(join(tmpdir(), "landfall-emulator-"));
      const stored = await create(temporary);
      return { ...stored, discard: () => rm(temporary, { recursive: true, force: true }) };
    }
    await mkdir(directory, { recursive: true, mode: 0o700 });
    return { ...((await takeUp(directory)) ?? (await create(directory))), discard: async () => {} };
  } catch (cause) {
    const message = `The certificate authority in ${directory ?? tmpdir()} cannot be used: ${(cause as Error).message}`;
    throw new LandfallError("emulator.authority-unusable", message, { cause });
  }
}

const certificateFile = (directory: string): string => join(directory, "ca.pem");
const keyFile = (directory: string): string => join(directory, "ca.key.pem");

async function takeUp(directory: string): Promise<Omit<StoredAuthority, "discard"> | undefined> {
  const caFile = certificateFile(directory);
  let certificatePem: string;
  try {
    certificatePem = await readFile(caFile, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  const authority = await CertificateAuthority.restore(certificatePem, await readFile(keyFile(directory), "utf8"));
  return { authority, caFile };
}

async function create(directory: string): Promise<Omit<StoredAuthority, "discard">> {
  const authority = await CertificateAuthority.create({ commonName: "landfall emulator" });
  // The key first: a certificate without its key would stop every later start.
  await writeFile(keyFile(directory), authority.privateKeyPem, { mode: 0o600 });
  await writeFile(certificateFile(directory), authority.certificatePem, { mode: 0o644 });
  return { authority, caFile: certificateFile(directory) };
}
