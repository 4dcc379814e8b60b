import { randomBytes } from "node:crypto";
import * as nodeFiles from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { describeCause, isLandfallError, LandfallError } from "./errors.ts";

/** The calls that a state file needs; `node:fs/promises` has them all. */
export type StateFileSystem = Pick<
  typeof nodeFiles,
  "mkdir" | "stat" | "open" | "rename" | "unlink" | "readFile" | "readdir"
>;

/** Settings of a {@link StateFile}. */
export interface StateFileOptions {
  /** Default: the machine's. */
  readonly files?: StateFileSystem;
  /** User id that directory and file have to belong to. Default: this process's; where users have no ids, nobody is asked. */
  readonly userId?: number | undefined;
}

/** No state file comes near this; something larger is not ours. */
const maxBytes = 1024 * 1024;

/** A write takes moments. A temporary file as old as this belongs to one that a crash or a power cut has ended. */
const strandedAfterMs = 60 * 60_000;

/**
 * One file of the agent's state: replaced as a whole or not at all. A reader, also in another process or after a power
 * cut, sees the old content or the new one, never a part. What a write that was cut off has left behind is removed by a
 * later one.
 *
 * The file has mode 0600. A missing directory is made with mode 0700; one that is there has to belong to the agent's
 * user, so that a command run once as root does not leave files behind that the agent cannot replace, and nobody else
 * may be able to put files into it.
 *
 * All methods reject with `state.unwritable`, which names the path.
 */
export class StateFile {
  readonly path: string;
  readonly #files: StateFileSystem;
  readonly #userId: number | undefined;

  constructor(path: string, { files = nodeFiles, userId = process.getuid?.() }: StateFileOptions = {}) {
    this.path = path;
    this.#files = files;
    this.#userId = userId;
  }

  /** The content, or `undefined` when there is no file. Larger than 1 MB is not read: then it is an empty text. */
  async read(): Promise<string | undefined> {
    try {
      const { size, uid } = await this.#files.stat(this.path);
      this.#requireOwn(this.path, uid);
      return size > maxBytes ? "" : await this.#files.readFile(this.path, "utf8");
    } catch (error) {
      if (codeOf(error) === "ENOENT") return undefined;
      throw unusable(`cannot read ${this.path}`, error);
    }
  }

  /** Resolves when `text` is on the disk and has taken the old content's place. */
  async write(text: string): Promise<void> {
    await this.#ownDirectory();
    // Two processes that write at once must not write into one file.
    const temporary = join(dirname(this.path), `.${basename(this.path)}.${randomBytes(6).toString("hex")}.tmp`);
    try {
      await this.#writeSynced(temporary, text);
      await this.#files.rename(temporary, this.path);
    } catch (error) {
      await this.#files.unlink(temporary).catch(() => {});
      throw unusable(`cannot write ${this.path}`, error);
    }
    await this.#syncDirectory();
    await this.#removeStranded();
  }

  /** Removes the file; does nothing when there is none. */
  async remove(): Promise<void> {
    try {
      await this.#files.unlink(this.path);
    } catch (error) {
      if (codeOf(error) === "ENOENT") return;
      throw unusable(`cannot remove ${this.path}`, error);
    }
    await this.#syncDirectory();
  }

  /** Renames the file to the same name with `.corrupt` at its end, in place of an earlier one, and resolves with that path. */
  async setAside(): Promise<string> {
    const aside = `${this.path}.corrupt`;
    try {
      await this.#files.rename(this.path, aside);
    } catch (error) {
      if (codeOf(error) === "ENOENT") return aside; // another process was quicker
      throw unusable(`cannot set ${this.path} aside`, error);
    }
    return aside;
  }

  async #ownDirectory(): Promise<void> {
    const directory = dirname(this.path);
    try {
      await this.#files.mkdir(directory, { recursive: true, mode: 0o700 });
      const { uid, mode } = await this.#files.stat(directory);
      this.#requireOwn(directory, uid);
      if ((mode & 0o002) !== 0) {
        throw new LandfallError(
          "state.unwritable",
          `every user may write to the directory ${directory}; run: chmod 700 ${directory}`,
        );
      }
    } catch (error) {
      throw unusable(`cannot use the directory ${directory}`, error);
    }
  }

  #requireOwn(path: string, uid: number): void {
    if (this.#userId === undefined || uid === this.#userId) return;
    throw new LandfallError(
      "state.unwritable",
      `${path} belongs to user id ${uid}, but the agent runs as user id ${this.#userId}`,
    );
  }

  async #writeSynced(path: string, text: string): Promise<void> {
    const handle = await this.#files.open(path, "wx", 0o600);
    try {
      await handle.writeFile(text);
      // Without it a power cut soon after the rename may leave an empty file under the final name.
      await handle.sync();
    } finally {
      await handle.close();
    }
  }

  async #removeStranded(): Promise<void> {
    const directory = dirname(this.path);
    try {
      const { mtimeMs: writtenAtMs } = await this.#files.stat(this.path);
      for (const name of await this.#files.readdir(directory)) {
        if (!name.startsWith(`.${basename(this.path)}.`) || !name.endsWith(".tmp")) continue;
        const path = join(directory, name);
        const { mtimeMs } = await this.#files.stat(path);
        if (writtenAtMs - mtimeMs > strandedAfterMs) await this.#files.unlink(path);
      }
    } catch {
      // Another process was quicker, or the directory cannot be listed: the content is in place either way.
    }
  }

  /** Makes the rename itself durable, where the file system lets a directory be synced. */
  async #syncDirectory(): Promise<void> {
    try {
      const handle = await this.#files.open(dirname(this.path), "r");
      await handle.sync().finally(() => handle.close());
    } catch {
      // The content is in place either way; only a power cut right now could bring the old one back.
    }
  }
}

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException | undefined)?.code;

const unusable = (what: string, cause: unknown): LandfallError =>
  isLandfallError(cause) ? cause : new LandfallError("state.unwritable", `${what}: ${describeCause(cause)}`, { cause });
