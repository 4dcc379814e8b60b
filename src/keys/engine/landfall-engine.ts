import { realpath, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { LandfallError } from "../../errors.ts";

/** The file that OpenSSL looks for when it is asked for the engine `landfall`. */
export const engineFile = "landfall.so";

/** What decides where the engine is looked for, and where it is put. */
export interface EngineSurroundings {
  readonly env: NodeJS.ProcessEnv;
  readonly userId: number;
}

const systemFolder = "/usr/local/lib/landfall";

/** Folders that may hold the engine, best first: the one that `LANDFALL_ENGINES` names and no other, if it is set. */
export function engineFolders({ env }: EngineSurroundings = surroundings()): readonly string[] {
  if (env.LANDFALL_ENGINES) return [env.LANDFALL_ENGINES];
  return [userFolder(env), systemFolder, "/usr/lib/landfall"];
}

/** Where the engine is put: for every user of the machine by root, else for the user alone. */
export function engineFolderToFill({ env, userId }: EngineSurroundings = surroundings()): string {
  return env.LANDFALL_ENGINES || (userId === 0 ? systemFolder : userFolder(env));
}

/**
 * The folder with our engine, links resolved. The engine becomes part of this process, so nobody but root and this user may be
 * able to change it.
 * Rejects with `key.engine-missing`, naming what was looked at and what else can be done.
 */
export async function landfallEngineFolder(about: EngineSurroundings = surroundings()): Promise<string> {
  const folders = engineFolders(about);
  for (const folder of folders) {
    const file = join(folder, engineFile);
    if (!(await isThere(file))) continue;
    // What was looked at is what is loaded, wherever a link is turned to in the meantime.
    const place = await realpath(folder);
    for (const part of [await realpath(file), place]) await requireOwn(part, about.userId);
    return place;
  }
  throw new LandfallError(
    "key.engine-missing",
    `Expected landfall's OpenSSL engine in ${folders.join(" or ")}; found none. ` +
      "`landfall keys engine` builds it where there is a C compiler. Without it, a key in a TPM can be reached as a PKCS#11 " +
      "token (libtpm2-pkcs11-1), or by a TLS proxy beside the agent.",
  );
}

function surroundings(): EngineSurroundings {
  return { env: process.env, userId: process.getuid?.() ?? 0 };
}

function userFolder(env: NodeJS.ProcessEnv): string {
  return join(env.XDG_DATA_HOME || join(env.HOME || homedir(), ".local", "share"), "landfall");
}

/** Requires that nobody else can write to `path`, nor put something else in its place. */
async function requireOwn(path: string, userId: number): Promise<void> {
  await requireUnchangeable(path, userId, 0o022);
  for (let below = path, above = dirname(path); above !== below; below = above, above = dirname(above)) {
    // The folders above are often open to a group, most of which have one member; in a sticky one nobody renames what is ours.
    const isSticky = ((await stat(above)).mode & 0o1000) !== 0;
    if (!isSticky) await requireUnchangeable(above, userId, 0o002);
  }
}

async function requireUnchangeable(path: string, userId: number, othersBits: number): Promise<void> {
  const { uid, mode } = await stat(path);
  const othersMayWrite = (mode & othersBits) !== 0;
  if ((uid === 0 || uid === userId) && !othersMayWrite) return;
  const found = othersMayWrite ? `mode ${(mode & 0o777).toString(8)}` : `user id ${uid}`;
  throw new LandfallError(
    "key.engine-missing",
    `landfall's OpenSSL engine is not loaded, because others than root and this user can change ${path} (${found}).`,
  );
}

async function isThere(file: string): Promise<boolean> {
  return stat(file).then(
    (found) => found.isFile(),
    () => false,
  );
}
