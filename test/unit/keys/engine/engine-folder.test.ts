import { chmodSync, mkdirSync, symlinkSync } from "node:fs";
import { chmod, chown, stat } from "node:fs/promises";
import { expect, test } from "vitest";
import { pkcs11EngineFolder } from "../../../../src/keys/engine/engine-folder.ts";
import {
  engineFolders,
  engineFolderToFill,
  landfallEngineFolder,
} from "../../../../src/keys/engine/landfall-engine.ts";
import { withEnvironment } from "../../../../src/keys/engine/with-environment.ts";
import { ScratchFolder } from "../../../support/scratch-folder.ts";

const scratch = new ScratchFolder();
const userId = process.getuid?.() ?? 0;

test("the folder that OPENSSL_ENGINES names is looked at, and no other", async () => {
  await scratch.write("pkcs11.so", "");
  expect(await pkcs11EngineFolder({ OPENSSL_ENGINES: scratch.path })).toBe(scratch.path);
  await expect(pkcs11EngineFolder({ OPENSSL_ENGINES: "/nowhere" })).rejects.toMatchObject({
    code: "key.engine-missing",
    message: expect.stringMatching(/none in \/nowhere, which OPENSSL_ENGINES names/),
  });
});

test("our engine is put where it is looked for, by root for everybody", () => {
  const env = { HOME: "/home/press" };
  for (const id of [0, 1000]) {
    const about = { env, userId: id };
    expect(engineFolders(about)).toContain(engineFolderToFill(about));
  }
  expect(engineFolderToFill({ env, userId: 0 })).toBe("/usr/local/lib/landfall");
  expect(engineFolderToFill({ env, userId: 1000 })).toBe("/home/press/.local/share/landfall");
  expect(engineFolders({ env: { ...env, LANDFALL_ENGINES: "/own" }, userId })).toEqual(["/own"]);
});

test("our engine is taken only if nobody else can change it", async () => {
  mkdirSync(scratch.file("engines"), { mode: 0o755 });
  const file = await scratch.write("engines/landfall.so", "", 0o644);
  const about = { env: { LANDFALL_ENGINES: scratch.file("engines") }, userId };
  expect(await landfallEngineFolder(about)).toBe(scratch.file("engines"));
  for (const path of [file, scratch.file("engines")]) {
    await chmod(path, 0o775);
    await expect(landfallEngineFolder(about)).rejects.toMatchObject({ code: "key.engine-missing" });
    await chmod(path, 0o755);
  }
  chmodSync(scratch.path, 0o777);
  await expect(landfallEngineFolder(about)).rejects.toMatchObject({
    code: "key.engine-missing",
    message: expect.stringContaining(`can change ${scratch.path} (mode 777)`),
  });
  chmodSync(scratch.path, 0o1777);
  expect(await landfallEngineFolder(about)).toBe(scratch.file("engines"));
  chmodSync(scratch.path, 0o700);
  // What is the superuser's own would be anybody's to trust.
  if (userId === 0) await chown(file, 65_534, 65_534);
  const stranger = { ...about, userId: (await stat(file)).uid + 1 };
  await expect(landfallEngineFolder(stranger)).rejects.toMatchObject({ code: "key.engine-missing" });
});

test("our engine is taken from where a link leads to", async () => {
  mkdirSync(scratch.file("real"), { mode: 0o755 });
  await scratch.write("real/landfall.so", "", 0o644);
  symlinkSync(scratch.file("real"), scratch.file("link"));
  const about = { env: { LANDFALL_ENGINES: scratch.file("link") }, userId };
  expect(await landfallEngineFolder(about)).toBe(scratch.file("real"));
});

test("variables are set for a piece of work alone, and as they were after it", () => {
  const before = { ...process.env };
  expect(
    withEnvironment({ LANDFALL_TEST_A: "1", PATH: "x" }, () => [process.env.LANDFALL_TEST_A, process.env.PATH]),
  ).toEqual(["1", "x"]);
  expect(() =>
    withEnvironment({ LANDFALL_TEST_A: "1" }, () => {
      throw new Error("no");
    }),
  ).toThrow("no");
  expect(process.env).toEqual(before);
});
