import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Runs the `openssl` command, the peer that keys and certificates are checked against; rejects when it fails. */
export async function openssl(...args: string[]): Promise<string> {
  const { stdout } = await run("openssl", args);
  return stdout;
}
