import { access, constants } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { LandfallError } from "../../../errors.ts";

/** Rejects with `key.program-missing` unless `PATH` leads to the program. @param debianPackage what brings it */
export async function requireProgram(
  program: string,
  { debianPackage }: { readonly debianPackage: string },
): Promise<void> {
  for (const folder of (process.env.PATH ?? "").split(delimiter)) {
    if (await isExecutable(join(folder, program))) return;
  }
  throw new LandfallError(
    "key.program-missing",
    `Expected the program ${program}, from the Debian package ${debianPackage}; it is not installed.`,
  );
}

function isExecutable(file: string): Promise<boolean> {
  return access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
}
