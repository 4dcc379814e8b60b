import { execFile } from "node:child_process";
import { randomInt } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { describeCause, LandfallError } from "../../../errors.ts";
import { findModule } from "../../../keys/pkcs11/module.ts";

const run = promisify(execFile);
const label = "demo";

/** A token of SoftHSM2, which is a PKCS#11 token in software: its keys are files in a folder. */
export interface SoftToken {
  /** The URI of a key in it that has this label; it names the file with the PIN. */
  uri(object: string): string;
  /** How programs find it. */
  readonly env: NodeJS.ProcessEnv;
}

/**
 * Makes a new token with a PIN by chance. Rejects with `cli.demo-incomplete`, `key.module-unusable` or `signal.reason`.
 * @param directory for all that belongs to it; made here
 */
export async function makeSoftToken(
  directory: string,
  { signal }: { readonly signal: AbortSignal },
): Promise<SoftToken> {
  const [tokens, settings, pinFile] = [join(directory, "tokens"), join(directory, "conf"), join(directory, "pin")];
  await mkdir(tokens, { recursive: true, mode: 0o700 });
  await writeFile(settings, `directories.tokendir = ${tokens}\nobjectstore.backend = file\nlog.level = ERROR\n`);
  const pin = newPin();
  await writeFile(pinFile, pin, { mode: 0o600 });
  const env = { SOFTHSM2_CONF: settings };
  const args = ["--init-token", "--free", "--label", label, "--so-pin", newPin(), "--pin", pin];
  await run("softhsm2-util", args, { env: { ...process.env, ...env }, signal }).catch((error: unknown) => {
    signal.throwIfAborted();
    // Not as the cause, which repeats the command with the PIN in it.
    const { stderr } = error as { readonly stderr?: string };
    throw new LandfallError(
      "cli.demo-incomplete",
      `softhsm2-util makes no token: ${stderr?.trim() || "no reason told"}`,
    );
  });
  const query = `module-path=${escaped(await softModule())}&pin-source=file:${escaped(pinFile)}`;
  return { uri: (object) => `pkcs11:token=${label};object=${object}?${query}`, env };
}

/** The file of SoftHSM2's module. Rejects with `key.module-unusable`, naming the Debian package. */
export async function softModule(): Promise<string> {
  return findModule({ moduleName: "softhsm2" }).catch((cause: unknown) => {
    const message = `Expected the PKCS#11 module of the Debian package libsofthsm2: ${describeCause(cause)}`;
    throw new LandfallError("key.module-unusable", message, { cause });
  });
}

function escaped(path: string): string {
  return path.split("/").map(encodeURIComponent).join("/");
}

function newPin(): string {
  return String(randomInt(10_000_000, 100_000_000));
}
