import { mkdtempSync, rmSync } from "node:fs";
import { chmod, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";

/** A folder for the files of one test file; it is removed after the last test. */
export class ScratchFolder {
  readonly path = mkdtempSync(join(tmpdir(), "landfall-test-"));

  constructor() {
    afterAll(() => rmSync(this.path, { recursive: true }));
  }

  /** The path of a file here, whether it exists or not. */
  file(name: string): string {
    return join(this.path, name);
  }

  /** Writes a file, readable by its owner alone unless `mode` says otherwise; gives its path. */
  async write(name: string, content: string | Uint8Array, mode = 0o600): Promise<string> {
    const path = this.file(name);
    await writeFile(path, content, { mode });
    await chmod(path, mode);
    return path;
  }
}
