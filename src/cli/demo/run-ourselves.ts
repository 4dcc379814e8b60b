import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { LandfallError } from "../../errors.ts";

/** The file of this very program. */
export const ownProgram = fileURLToPath(new URL("../main.js", import.meta.url));

/**
 * Runs a command of `landfall` as its owner would, to its end. Resolves with what it printed.
 * Rejects with `cli.demo-incomplete`, with what it said in `details`, and with `signal.reason`.
 */
export async function runOurselves(
  args: readonly string[],
  { env, signal }: { readonly env?: NodeJS.ProcessEnv; readonly signal: AbortSignal },
): Promise<string> {
  try {
    const options = { env: { ...process.env, ...env }, signal };
    const { stdout } = await promisify(execFile)(process.execPath, [ownProgram, ...args], options);
    return stdout;
  } catch (cause) {
    signal.throwIfAborted();
    const said = String((cause as { readonly stderr?: unknown }).stderr ?? "").trim();
    const message = `landfall ${args.slice(0, 2).join(" ")} does not succeed`;
    throw new LandfallError("cli.demo-incomplete", message, { cause, details: said.split("\n") });
  }
}
