import { chmod, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { checkKeyFileMode, keyFileMode } from "../../src/key-file-mode.ts";

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "landfall-mode-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function fileOfMode(name: string, mode: number): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, "a key");
  await chmod(path, mode);
  return path;
}

describe("the mode of a key file", () => {
  test.each([0o600, 0o400, 0o700])("%o is the owner's alone", async (mode) => {
    const path = await fileOfMode("private.pem", mode);
    await expect(checkKeyFileMode(path)).resolves.toEqual({});
    await chmod(path, 0o600);
  });

  test.each([0o640, 0o660, 0o620])("%o is warned about, with the command", async (mode) => {
    const path = await fileOfMode("group.pem", mode);
    const { warning } = await checkKeyFileMode(path);
    expect(warning).toContain(`chmod 600 ${path}`);
    expect(warning).toContain(mode.toString(8));
  });

  test.each([0o644, 0o604, 0o666, 0o602])("%o is refused, with the command", async (mode) => {
    const path = await fileOfMode("open.pem", mode);
    await expect(checkKeyFileMode(path)).rejects.toMatchObject({
      code: "key.world-readable",
      message: expect.stringContaining(`chmod 600 ${path}`),
    });
  });

  test("of a symbolic link is that of its target", async () => {
    const link = join(folder, "link.pem");
    await symlink(await fileOfMode("target.pem", 0o644), link);
    await expect(checkKeyFileMode(link)).rejects.toMatchObject({ code: "key.world-readable" });
  });

  test("gives a command that a shell takes as one word, whatever the path", async () => {
    const { remedy } = await keyFileMode(await fileOfMode("it's a key.pem", 0o640));
    expect(remedy).toBe(`chmod 600 '${folder}/it'\\''s a key.pem'`);
  });

  test("of a file that is not there is an error with the path", async () => {
    await expect(checkKeyFileMode(join(folder, "none.pem"))).rejects.toMatchObject({
      code: "config.secret-unreadable",
      message: expect.stringContaining("none.pem"),
    });
  });
});
