import { access } from "node:fs/promises";
import { join } from "node:path";
import { LandfallError } from "../../errors.ts";

/** Debian's names of the machines that Node runs on, which its library folders carry. */
const triplets: Readonly<Partial<Record<NodeJS.Architecture, string>>> = {
  x64: "x86_64-linux-gnu",
  arm64: "aarch64-linux-gnu",
  arm: "arm-linux-gnueabihf",
  ia32: "i386-linux-gnu",
  riscv64: "riscv64-linux-gnu",
  ppc64: "powerpc64le-linux-gnu",
  s390x: "s390x-linux-gnu",
};

/** Where distributions put the engines of OpenSSL 3, which every Node from 18 on carries. */
function systemFolders(architecture: NodeJS.Architecture): readonly string[] {
  const triplet = triplets[architecture];
  return [
    ...(triplet === undefined ? [] : [`/usr/lib/${triplet}/engines-3`]),
    "/usr/lib64/engines-3",
    "/usr/lib/engines-3",
    "/usr/local/lib64/engines-3",
    "/usr/local/lib/engines-3",
  ];
}

/**
 * The folder that holds OpenSSL's engine for PKCS#11: the one that `OPENSSL_ENGINES` names, and no other when it is set;
 * else the first of the system's.
 * Rejects with `key.engine-missing`, naming what was looked at.
 */
export async function pkcs11EngineFolder(
  env: NodeJS.ProcessEnv = process.env,
  architecture: NodeJS.Architecture = process.arch,
): Promise<string> {
  const { OPENSSL_ENGINES: named } = env;
  const folders = named ? [named] : systemFolders(architecture);
  for (const folder of folders) {
    if (await exists(join(folder, "pkcs11.so"))) return folder;
  }
  const where = named ? `${named}, which OPENSSL_ENGINES names` : folders.join(", ");
  throw new LandfallError("key.engine-missing", `Expected OpenSSL's engine pkcs11.so; found none in ${where}.`);
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
