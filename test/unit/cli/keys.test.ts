import { describe, expect, test } from "vitest";
import { runProgram } from "../../../src/cli/program.ts";
import { fakeTerminal } from "../../support/fake-terminal.ts";
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
