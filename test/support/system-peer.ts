import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** The file of a system program that tests use as a real peer; `undefined` when this machine lacks it. */
export function systemPeer(program: string): string | undefined {
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/sbin"];
  return folders.map((folder) => join(folder, program)).find(isExecutable);
}

/**
 * Whether tests against a peer are passed over: when it is missing on a user's machine. With `CI=true` they run, and
 * fail for want of it. `.ci/peers` names what is missing.
 */
export function lacks(program: string): boolean {
  return systemPeer(program) === undefined && process.env.CI !== "true";
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
