import { access } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Pkcs11Uri } from "../../config/pkcs11-uri.ts";
import { LandfallError } from "../../errors.ts";

/** Where distributions put PKCS#11 modules, relative to a library folder. */
const subfolders = ["pkcs11", "softhsm", "."];

/** Modules that are common on gateways, the most particular first: the last drives smart cards of many makers. */
const commonNames = ["tpm2_pkcs11", "ckteec", "cryptoauth", "ykcs11", "softhsm2", "opensc-pkcs11"];

/**
 * The file of the PKCS#11 module for a URI: its `module-path`, its `module-name`, what the environment variable
 * `PKCS11_MODULE_PATH` names, else the first common one that this machine has.
 * Rejects with `key.module-unusable`.
 */
export async function findModule(
  { modulePath, moduleName }: Pick<Pkcs11Uri, "modulePath" | "moduleName">,
  env: NodeJS.ProcessEnv = process.env,
): Promise<string> {
  const named = modulePath ?? (moduleName === undefined ? env.PKCS11_MODULE_PATH : undefined);
  if (named) {
    if (await exists(named)) return named;
    throw new LandfallError("key.module-unusable", `There is no PKCS#11 module ${named}.`);
  }
  const names = moduleName === undefined ? commonNames : [moduleName];
  for (const name of names) {
    const file = await findNamed(name);
    if (file !== undefined) return file;
  }
  throw new LandfallError(
    "key.module-unusable",
    `Found no PKCS#11 module named ${names.join(", ")} in the library folders of this machine.`,
  );
}

async function findNamed(name: string): Promise<string | undefined> {
  for (const folder of libraryFolders(process.arch)) {
    for (const subfolder of subfolders) {
      for (const file of [`lib${name}.so`, `${name}.so`]) {
        const path = join(folder, subfolder, file);
        if (await exists(path)) return path;
      }
    }
  }
  return undefined;
}

function libraryFolders(architecture: NodeJS.Architecture): readonly string[] {
  const machine = { x64: "x86_64", arm64: "aarch64", arm: "arm", ia32: "i386" }[architecture as string] ?? architecture;
  const suffix = architecture === "arm" ? "gnueabihf" : "gnu";
  return [`/usr/lib/${machine}-linux-${suffix}`, "/usr/lib64", "/usr/lib", "/usr/local/lib"];
}

/** The module's name as people know it, for messages. */
export function moduleTitle(file: string): string {
  return basename(file);
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
