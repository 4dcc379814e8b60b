import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { findPin } from "../../../../src/keys/pkcs11/pin.ts";
import { withPinFile } from "../../../../src/keys/pkcs11/pin-file.ts";
import { Secret } from "../../../../src/secret.ts";
import { ScratchFolder } from "../../../support/scratch-folder.ts";

const scratch = new ScratchFolder();
const fromVariable = { pinSource: { kind: "environment", variable: "TOKEN_PIN" } } as const;

describe("the PIN of a token", () => {
  test("given beside the URI stands over what the URI names", async () => {
    const given = new Secret("1111");
    expect((await findPin({ ...fromVariable, pinValue: new Secret("2222") }, given, { TOKEN_PIN: "3333" })).pin).toBe(
      given,
    );
  });

  test("comes from the environment, a file without its line end, or the URI itself", async () => {
    expect((await findPin(fromVariable, undefined, { TOKEN_PIN: "3333" })).pin.reveal()).toBe("3333");
    const file = await scratch.write("pin", "4444\r\n");
    expect((await findPin({ pinSource: { kind: "file", file } }, undefined)).pin.reveal()).toBe("4444");
    expect((await findPin({ pinValue: new Secret("2222") }, undefined)).pin.reveal()).toBe("2222");
  });

  test("comes with a warning when the group may read its file", async () => {
    const file = await scratch.write("group-pin", "4444", 0o640);
    const { warnings } = await findPin({ pinSource: { kind: "file", file } }, undefined);
    expect(warnings).toEqual([expect.stringContaining("chmod 600")]);
  });

  test.each([
    ["is not there", {}, {}, "key.wrong-pin"],
    ["is in no variable", fromVariable, {}, "config.secret-unreadable"],
    ["is empty", fromVariable, { TOKEN_PIN: "" }, "key.wrong-pin"],
    ["is in no file", { pinSource: { kind: "file", file: "/nowhere/pin" } }, {}, "config.secret-unreadable"],
  ] as const)("is asked for when it %s", async (_, uri, env, code) => {
    await expect(findPin(uri, undefined, env)).rejects.toMatchObject({ code });
  });

  test("is at a path of its owner's for as long as it is needed, in a file that nobody finds by a name", () => {
    const runtime = scratch.file("runtime");
    mkdirSync(runtime);
    vi.stubEnv("XDG_RUNTIME_DIR", runtime);
    onTestFinished(() => void vi.unstubAllEnvs());
    const seen = withPinFile(new Secret("5555"), (path) => {
      expect(readFileSync(path, "utf8")).toBe("5555");
      expect(statSync(path).mode & 0o777).toBe(0o600);
      expect(readdirSync(runtime)).toEqual([]);
      return path;
    });
    const isGone = (path: string) => !existsSync(path) || readFileSync(path, "latin1") !== "5555";
    expect(isGone(seen)).toBe(true);
    let failing = "";
    const fails = (path: string): never => {
      failing = path;
      throw new Error("no");
    };
    expect(() => withPinFile(new Secret("5555"), fails)).toThrow("no");
    expect(isGone(failing)).toBe(true);
    expect(readdirSync(runtime)).toEqual([]);
  });
});
