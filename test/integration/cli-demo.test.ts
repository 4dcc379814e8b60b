import { readdirSync, readFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { steps } from "../../src/cli/demo/steps.ts";
import { type JsonLine, landfall, startLandfall } from "../support/landfall-process.ts";
import { ScratchFolder } from "../support/scratch-folder.ts";
import { lacksTokens } from "../support/soft-token.ts";
import { lacks } from "../support/system-peer.ts";

const temporary = new ScratchFolder();
const env = { TMPDIR: temporary.path };

describe("landfall demo", () => {
  test("exits 0 with every step in order, and leaves nothing behind", async () => {
    await using demo = startLandfall(["demo", "--json"], { env });
    expect(await demo.exited).toBe(0);
    const [result] = demo.lines;
    expect(result).toMatchObject({ schema: "landfall.demo/1", identity: "x509", missing: [] });
    const told = result?.steps as { readonly name: string; readonly atSeconds: number }[];
    expect(told.map(({ name }) => name)).toEqual([...steps]);
    expect(told.map(({ atSeconds }) => atSeconds)).toEqual(
      told.map(({ atSeconds }) => atSeconds).sort((a, b) => a - b),
    );
    expect(whatOf(result, "credential")).toMatch(/^X\.509 .* in a file$/);
    expect(whatOf(result, "hub")).toMatch(/by mutual TLS$/);
    for (const name of steps) expect(demo.err).toContain(`✓ ${name}`);
    expect(await readdir(temporary.path)).toEqual([]);
  });

  test("exits 1 and names the steps that did not happen when its agent is killed half-way", async () => {
    await using demo = startLandfall(["demo", "--json"], { env });
    await demo.says(/✓ hub /);
    const { pid } = demo.child;
    const [agent] = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ");
    process.kill(Number(agent), "SIGKILL");
    expect(await demo.exited).toBe(1);
    const [result, error] = demo.lines;
    const missing = result?.missing as string[];
    expect(missing.length).toBeGreaterThan(0);
    expect(missing).toEqual(steps.slice(steps.length - missing.length));
    expect(error).toMatchObject({ schema: "landfall.error/1", error: { code: "cli.demo-incomplete" } });
    expect(demo.err).toContain(missing.join(", "));
    expect(await readdir(temporary.path)).toEqual([]);
  });

  test("Ctrl-C ends it and its agent, without a word about missing steps", async () => {
    await using demo = startLandfall(["demo", "--json"], { env });
    await demo.says(/✓ endpoint/);
    demo.kill("SIGINT");
    expect(await demo.exited).toBe(130);
    expect(demo.out).toBe("");
    expect(demo.err).not.toContain("did not happen");
    expect(await readdir(temporary.path)).toEqual([]);
  });
});

/** What was told in one step. */
function whatOf(result: JsonLine | undefined, step: string): string {
  const told = result?.steps as { readonly name: string; readonly what: string }[];
  return told.find(({ name }) => name === step)?.what ?? "";
}

describe.each([
  ["symmetric-key", false, /^symmetric key .* in a file here/, /over mqtt, after \d+ polls?:/, /by a token signed/],
  ["tpm", lacks("swtpm"), /swtpm.* in the TPM/, /over https, after 1 challenge and \d+ polls?:/, /signed in the TPM$/],
  ["pkcs11", lacksTokens(), /made in a PKCS#11 token/, /over mqtt, after \d+ polls?:/, /by mutual TLS, signed in the/],
] as const)("landfall demo --identity %s", (identity, isLacking, credential, registration, hub) => {
  test.skipIf(isLacking)("comes to the hub with it, and says where its secret lives", async () => {
    await using demo = startLandfall(["demo", "--identity", identity, "--json"], { env });
    expect(await demo.exited, demo.err).toBe(0);
    const [result] = demo.lines;
    expect(result).toMatchObject({ identity, missing: [] });
    expect(whatOf(result, "credential")).toMatch(credential);
    expect(whatOf(result, "registration")).toMatch(registration);
    expect(whatOf(result, "hub")).toMatch(hub);
    expect(whatOf(result, "restart")).toContain("DPS was not asked");
    expect(await readdir(temporary.path)).toEqual([]);
  });
});

describe("landfall demo on a machine that lacks something", () => {
  const [token, all] = [new ScratchFolder(), new ScratchFolder()];
  beforeAll(async () => {
    await token.write("softhsm2-util", "", 0o755);
    for (const program of ["softhsm2-util", "pkcs11-tool"]) await all.write(program, "", 0o755);
  });

  test.each([
    ["tpm", () => ({ PATH: "/nowhere" }), "key.program-missing", "the Debian package swtpm"],
    ["pkcs11", () => ({ PATH: "/nowhere" }), "key.program-missing", "the Debian package softhsm2"],
    ["pkcs11", () => ({ PATH: `/nowhere:${token.path}` }), "key.program-missing", "the Debian package opensc"],
    [
      "pkcs11",
      () => ({ PATH: all.path, OPENSSL_ENGINES: "/nowhere" }),
      "key.engine-missing",
      "The Debian package libengine-pkcs11-openssl",
    ],
  ] as const)(
    "names the package that --identity %s needs, before anything starts",
    async (identity, lacking, code, says) => {
      const ended = await landfall(["demo", "--identity", identity, "--json"], { env: { ...env, ...lacking() } });
      expect(ended.code).toBe(2);
      expect(JSON.parse(ended.out)).toMatchObject({
        schema: "landfall.error/1",
        error: { code, message: expect.stringContaining(says) },
      });
      expect(ended.err).not.toContain("✓");
      expect(await readdir(temporary.path)).toEqual([]);
    },
  );

  test("knows no other identities", async () => {
    const ended = await landfall(["demo", "--identity", "toString"]);
    expect(ended).toMatchObject({
      code: 2,
      out: "",
      err: expect.stringContaining("x509, symmetric-key, tpm or pkcs11"),
    });
  });
});

/** Ids of the processes whose command line names a file in `folder`, and that run `program`. */
function runningIn(folder: string, program: string): number[] {
  return readdirSync("/proc").flatMap((pid) => {
    if (!/^\d+$/.test(pid)) return [];
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, "utf8");
      return command.includes(program) && command.includes(folder) ? [Number(pid)] : [];
    } catch {
      return []; // it has ended meanwhile
    }
  });
}

describe.each([
  ["x509", "main.js", false],
  ["tpm", "swtpm", lacks("swtpm")],
])("landfall demo --identity %s that is killed", (identity, program, isLacking) => {
  const folder = new ScratchFolder();

  test.skipIf(isLacking)(`leaves nobody behind, ${program} neither`, async () => {
    await using demo = startLandfall(["demo", "--identity", identity], { env: { TMPDIR: folder.path } });
    await demo.shows(/✓ endpoint/);
    expect(runningIn(folder.path, program)).not.toEqual([]);
    demo.kill("SIGKILL");
    await demo.exited;
    await vi.waitUntil(() => runningIn(folder.path, "").length === 0, { timeout: 30_000 });
  });
});
