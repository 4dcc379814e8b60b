import { readKeyFile } from "../keys/key-file.ts";
import { Secret } from "../secret.ts";
import type { Terminal } from "./terminal.ts";

/**
 * The secret that a file named on the command line holds, without its line end. A file that its group may read is warned about.
 * Rejects with `key.world-readable` when everybody may, and with `config.secret-unreadable`.
 */
export async function readSecretFile(file: string, { err }: Pick<Terminal, "err">): Promise<Secret> {
  const { bytes, warnings } = await readKeyFile(file);
  for (const warning of warnings) err.write(`${warning}\n`);
  return new Secret(bytes.toString("utf8").replace(/\r?\n$/, ""));
}
