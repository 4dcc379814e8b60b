import { chmodSync, chownSync, mkdirSync, rmdirSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { describe, expect, test } from "vitest";
import { makePrivateFolder } from "../../../src/keys/private-folder.ts";
import { ScratchFolder } from "../../support/scratch-folder.ts";

const scratch = new ScratchFolder();
let parents = 0;

/** A folder with these permission bits, and the environment of a user whose own place it is said to be. */
function parent(mode: number) {
  parents += 1;
  const path = scratch.file(`parent-${parents}`);
  mkdirSync(path);
  chmodSync(path, mode);
  return { path, env: { XDG_RUNTIME_DIR: path } };
}

/** Where a folder comes to be made; it is not kept. */
function placeOf(env: NodeJS.ProcessEnv, userId = process.getuid?.()): string {
  const made = makePrivateFolder(env, userId);
  expect(statSync(made).mode & 0o777).toBe(0o700);
  rmdirSync(made);
  return dirname(made);
}

describe("a private folder", () => {
  test.each([0o700, 0o755, 0o1777])("is made in the user's own place of mode %o", (mode) => {
    const { path, env } = parent(mode);
    expect(placeOf(env)).toBe(path);
  });

  test.each([0o777, 0o770, 0o757])("is not made where others could exchange it: mode %o", (mode) => {
    const { path, env } = parent(mode);
    expect(placeOf(env)).not.toBe(path);
  });

  test("is not made in the place of another user", () => {
    const { path, env } = parent(0o700);
    // What is the superuser's own would be anybody's to trust.
    if (process.getuid?.() === 0) chownSync(path, 65_534, 65_534);
    expect(placeOf(env, statSync(path).uid + 1)).not.toBe(path);
  });

  test("is not made where a socket's path would be too long", () => {
    const path = scratch.file("a".repeat(90));
    mkdirSync(path);
    expect(placeOf({ XDG_RUNTIME_DIR: path })).not.toBe(path);
  });
});
