import * as files from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { StateFile, type StateFileSystem } from "../../src/state-file.ts";

let directory: string;
let path: string;

beforeEach(async () => {
  directory = await files.mkdtemp(join(tmpdir(), "landfall-state-"));
  path = join(directory, "thing.json");
});

afterEach(() => files.rm(directory, { recursive: true, force: true }));

const modeOf = async (path: string): Promise<string> => ((await files.stat(path)).mode & 0o777).toString(8);

describe("a state file", () => {
  test("gives back what was written, and is replaced as a whole", async () => {
    const file = new StateFile(path);
    await file.write("a long first content");
    await file.write("second");
    expect(await file.read()).toBe("second");
    expect(await files.readdir(directory)).toEqual(["thing.json"]);
  });

  test("that does not exist reads as undefined", async () => {
    expect(await new StateFile(join(directory, "deep", "thing.json")).read()).toBeUndefined();
  });

  test("has mode 0600 in a directory of mode 0700, whatever the umask", async () => {
    const umask = process.umask(0);
    try {
      await new StateFile(join(directory, "state", "thing.json")).write("x");
    } finally {
      process.umask(umask);
    }
    expect(await modeOf(join(directory, "state"))).toBe("700");
    expect(await modeOf(join(directory, "state", "thing.json"))).toBe("600");
  });

  test("takes the place of a file with a wider mode", async () => {
    await files.writeFile(path, "old", { mode: 0o644 });
    await new StateFile(path).write("new");
    expect(await modeOf(path)).toBe("600");
  });

  test("larger than any of ours is not read", async () => {
    await files.writeFile(path, "x".repeat(1024 * 1024 + 1));
    expect(await new StateFile(path).read()).toBe("");
  });

  test("is set aside under a name of its own, in place of an earlier one", async () => {
    const file = new StateFile(path);
    for (const content of ["first", "second"]) {
      await file.write(content);
      expect(await file.setAside()).toBe(`${path}.corrupt`);
    }
    expect(await file.read()).toBeUndefined();
    expect(await files.readFile(`${path}.corrupt`, "utf8")).toBe("second");
    await expect(file.setAside()).resolves.toBe(`${path}.corrupt`);
  });

  test("is removed, once or more often", async () => {
    const file = new StateFile(path);
    await file.write("x");
    await file.remove();
    await file.remove();
    expect(await files.readdir(directory)).toEqual([]);
  });
});

/** The machine's file system, with a record of what was called, and a failure on request. */
function recordingFiles(failAt?: string): { readonly calls: string[]; readonly system: StateFileSystem } {
  const calls: string[] = [];
  const note = (call: string): void => {
    calls.push(call);
    if (call === failAt) throw Object.assign(new Error("the power went out"), { code: "EIO" });
  };
  const system = {
    ...files,
    rename: async (from: string, to: string) => {
      note("rename");
      await files.rename(from, to);
    },
    open: async (...args: Parameters<typeof files.open>) => {
      const handle = await files.open(...args);
      const what = args[1] === "wx" ? "file" : "directory";
      note(`open ${what}`);
      const sync = handle.sync.bind(handle);
      handle.sync = async () => {
        note(`sync ${what}`);
        await sync();
      };
      return handle;
    },
  } as StateFileSystem;
  return { calls, system };
}

describe("a power cut", () => {
  test("finds content synced before the rename, and the rename synced after it", async () => {
    const { calls, system } = recordingFiles();
    await new StateFile(path, { files: system }).write("x");
    expect(calls).toEqual(["open file", "sync file", "rename", "open directory", "sync directory"]);
  });

  test.each(["sync file", "rename"])("before or at the %s leaves the old content", async (step) => {
    await new StateFile(path).write("old");
    await expect(new StateFile(path, { files: recordingFiles(step).system }).write("new")).rejects.toMatchObject({
      code: "state.unwritable",
      message: expect.stringContaining(path),
      cause: { code: "EIO" },
    });
    expect(await new StateFile(path).read()).toBe("old");
  });

  test("that leaves a half-written temporary file behind does not disturb the next write", async () => {
    const { system } = recordingFiles("rename");
    const stranded = { ...system, unlink: async () => {} } as StateFileSystem;
    await expect(new StateFile(path, { files: stranded }).write("lost")).rejects.toThrow();
    expect(await files.readdir(directory)).toHaveLength(1);
    await new StateFile(path).write("new");
    expect(await new StateFile(path).read()).toBe("new");
  });

  test("may leave a temporary file behind; once it is an hour old, a later write removes it, and nothing else", async () => {
    const minutesOld = {
      ".thing.json.0123456789ab.tmp": 61,
      ".thing.json.cdef01234567.tmp": 59,
      ".other.json.tmp": 61,
    };
    for (const [name, minutes] of Object.entries(minutesOld)) {
      const seconds = Date.now() / 1000 - minutes * 60;
      await files.writeFile(join(directory, name), "half");
      await files.utimes(join(directory, name), seconds, seconds);
    }
    await new StateFile(path).write("new");
    expect((await files.readdir(directory)).sort()).toEqual([
      ".other.json.tmp",
      ".thing.json.cdef01234567.tmp",
      "thing.json",
    ]);
  });

  test("on a file system that cannot sync directories, the write still succeeds", async () => {
    await new StateFile(path, { files: recordingFiles("sync directory").system }).write("x");
    expect(await new StateFile(path).read()).toBe("x");
  });
});

describe("a state directory that cannot be used is named", () => {
  const stranger = { userId: 4_000_000_000 };

  test("when it belongs to another user", async () => {
    await expect(new StateFile(path, stranger).write("x")).rejects.toMatchObject({
      code: "state.unwritable",
      message: `${directory} belongs to user id ${process.getuid?.()}, but the agent runs as user id 4000000000`,
    });
    expect(await files.readdir(directory)).toEqual([]);
  });

  test("when the file in it belongs to another user", async () => {
    await files.writeFile(path, "planted");
    await expect(new StateFile(path, stranger).read()).rejects.toMatchObject({
      code: "state.unwritable",
      message: expect.stringContaining(path),
    });
  });

  test("when everybody may write to it", async () => {
    await files.chmod(directory, 0o777);
    await expect(new StateFile(path).write("x")).rejects.toMatchObject({
      code: "state.unwritable",
      message: expect.stringContaining(`chmod 700 ${directory}`),
    });
  });

  test("when it is a file", async () => {
    await files.writeFile(path, "a file");
    const inside = new StateFile(join(path, "thing.json"));
    for (const attempt of [() => inside.write("x"), () => inside.read(), () => inside.remove()]) {
      await expect(attempt()).rejects.toMatchObject({
        code: "state.unwritable",
        message: expect.stringContaining(path),
      });
    }
  });

  test("when the file system is read-only", async () => {
    const refuse = async () => {
      throw Object.assign(new Error("read-only file system"), { code: "EROFS" });
    };
    const system = { ...files, mkdir: refuse } as unknown as StateFileSystem;
    await expect(new StateFile(path, { files: system }).write("x")).rejects.toMatchObject({
      code: "state.unwritable",
      message: `cannot use the directory ${directory}: EROFS: read-only file system`,
    });
  });
});
