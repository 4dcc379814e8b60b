import { execFile } from "node:child_process";
import * as files from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { StateFile } from "../../src/state-file.ts";
import { compile } from "../support/compile.ts";

let directory: string;

beforeEach(async () => {
  directory = await files.mkdtemp(join(tmpdir(), "landfall-state-"));
});

afterEach(() => files.rm(directory, { recursive: true, force: true }));

describe("two processes that write at once", () => {
  const writer = `
    import { StateFile } from "./state-file.mjs";
    const [path, letter] = process.argv.slice(2);
    const file = new StateFile(path);
    for (let size = 1; size <= 60; size++) await file.write(letter.repeat(size * 500));
  `;

  test("never leave a mixture, and leave nothing behind", async () => {
    await compile(
      fileURLToPath(new URL("../../src/state-file.ts", import.meta.url)),
      join(directory, "state-file.mjs"),
    );
    await files.writeFile(join(directory, "writer.mjs"), writer);
    const shared = join(directory, "state", "thing.json");
    const run = promisify(execFile);
    let writing = true;
    const writers = Promise.all(
      ["a", "b"].map((letter) => run(process.execPath, [join(directory, "writer.mjs"), shared, letter])),
    ).finally(() => {
      writing = false;
    });
    const file = new StateFile(shared);
    const seen = new Set<string>();
    while (writing) seen.add((await file.read()) ?? "");
    await writers;
    seen.add((await file.read()) ?? "");
    seen.delete("");
    expect(seen.size).toBeGreaterThan(0);
    for (const content of seen) expect(content).toMatch(/^(a+|b+)$/);
    for (const content of seen) expect(content.length % 500).toBe(0);
    expect(await files.readdir(join(directory, "state"))).toEqual(["thing.json"]);
  });
});
