import { execFile } from "node:child_process";
import { mkdirSync, symlinkSync } from "node:fs";
import { delimiter, dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { ScratchFolder } from "./scratch-folder.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const run = promisify(execFile);

/**
 * Makes a folder one of a user's own, in which `import … from "landfall"` finds the built package. Returns an environment in
 * which the command `landfall` is on the path, put there as the README says.
 */
export async function installForUser(folder: ScratchFolder): Promise<NodeJS.ProcessEnv> {
  mkdirSync(folder.file("node_modules"));
  symlinkSync(root, folder.file("node_modules/landfall"));
  const prefix = folder.file("global");
  await run("npm", ["install", "--global", "--no-audit", "--no-fund", "."], {
    cwd: root,
    env: { ...process.env, npm_config_prefix: prefix },
  });
  // The Node that runs the tests comes before any other.
  return { PATH: [`${prefix}/bin`, dirname(process.execPath), process.env.PATH].join(delimiter) };
}
