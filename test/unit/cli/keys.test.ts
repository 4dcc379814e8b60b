import { createPrivateKey } from "node:crypto";
import { access, readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { runProgram } from "../../../src/cli/program.ts";
import { fakeTerminal } from "../../support/fake-terminal.ts";
import { ScratchFolder } from "../../support/scratch-folder.ts";
import vector from "../../vectors/derived-key.json" with { type: "json" };

async function derive(args: string[], { env = {}, input = "" }: { env?: NodeJS.ProcessEnv; input?: string } = {}) {
  const terminal = fakeTerminal();
  terminal.input.end(input);
  const code = await runProgram({
    args: ["keys", "derive", ...args],
    env,
    terminal,
    signal: new AbortController().signal,
  });
  return { code, ...terminal.written };
}

const scratch = new ScratchFolder();
const [published] = vector.keys;
const { groupKey = "", registrationId = "", deviceKey = "" } = published ?? {};

describe("landfall keys derive", () => {
  test("prints the device key of the published vector, the group key coming from standard input", async () => {
    const result = await derive([registrationId], { input: `${groupKey}\n` });
    expect(result).toEqual({ code: 0, out: `${deviceKey}\n`, err: "" });
  });

  test("takes many ids at once, and the key from the environment", async () => {
    const { out } = await derive(["a", registrationId, "--group-key-env", "GROUP", "--json"], {
      env: { GROUP: groupKey },
    });
    const result = JSON.parse(out);
    expect(result.schema).toBe("landfall.derived-keys/1");
    expect(result.keys).toHaveLength(2);
    expect(result.keys[1]).toEqual({ registrationId, key: deviceKey });
  });

  test("takes the key from a file that is its owner's alone", async () => {
    const file = await scratch.write("group-key", `${groupKey}\n`);
    expect(await derive([registrationId, "--group-key-file", file])).toEqual({
      code: 0,
      out: `${deviceKey}\n`,
      err: "",
    });
    const shared = await scratch.write("shared-key", groupKey, 0o640);
    const warned = await derive([registrationId, "--group-key-file", shared]);
    expect(warned).toMatchObject({ code: 0, out: `${deviceKey}\n`, err: expect.stringContaining("chmod 600") });
    const open = await scratch.write("open-key", groupKey, 0o644);
    const refused = await derive([registrationId, "--group-key-file", open]);
    expect(refused).toMatchObject({ code: 2, out: "", err: expect.stringContaining("key.world-readable") });
  });

  test.each([
    ["no id", [], "at least one registration id"],
    ["an id that DPS would refuse", ["two words"], "two words"],
    ["a variable that is not set", ["a", "--group-key-env", "ABSENT"], "ABSENT is not set"],
    ["a file that is not there", ["a", "--group-key-file", "/absent/key"], "/absent/key"],
  ])("refuses %s with exit code 2", async (_, args, says) => {
    const { code, err } = await derive(args);
    expect(code).toBe(2);
    expect(err).toContain(says);
  });

  test("never repeats what it could not take for a key", async () => {
    const { code, out, err } = await derive(["a"], { input: "not-a-key-but-maybe-a-password" });
    expect(code).toBe(2);
    expect(out + err).not.toContain("maybe-a-password");
  });
});

describe("landfall keys create", () => {
  async function create(...args: string[]) {
    const terminal = fakeTerminal();
    const signal = new AbortController().signal;
    const code = await runProgram({ args: ["keys", "create", ...args], env: {}, terminal, signal });
    return { code, ...terminal.written };
  }

  test("encrypts a key file with a password out of a file that is its owner's alone", async () => {
    const password = await scratch.write("password", "pocket 7\n");
    const key = scratch.file("device.key");
    expect(await create(key, "--password-file", password)).toMatchObject({ code: 0, err: "" });
    expect(createPrivateKey({ key: await readFile(key), passphrase: "pocket 7" }).asymmetricKeyType).toBe("ec");
    const open = await scratch.write("open-password", "pocket 7", 0o644);
    const refused = await create(scratch.file("other.key"), "--password-file", open);
    expect(refused).toMatchObject({ code: 2, out: "", err: expect.stringContaining("key.world-readable") });
    await expect(access(scratch.file("other.key"))).rejects.toMatchObject({ code: "ENOENT" });
  });
});
