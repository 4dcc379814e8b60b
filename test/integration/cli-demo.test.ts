import { readFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { steps } from "../../src/cli/demo/steps.ts";
import { startLandfall } from "../support/landfall-process.ts";
import { ScratchFolder } from "../support/scratch-folder.ts";

const temporary = new ScratchFolder();
const env = { TMPDIR: temporary.path };

describe("landfall demo", () => {
  test("exits 0 with every step in order, and leaves nothing behind", async () => {
    await using demo = startLandfall(["demo", "--json"], { env });
    expect(await demo.exited).toBe(0);
    const [result] = demo.lines;
    expect(result).toMatchObject({ schema: "landfall.demo/1", missing: [] });
    const told = result?.steps as { readonly name: string; readonly atSeconds: number }[];
    expect(told.map(({ name }) => name)).toEqual([...steps]);
    expect(told.map(({ atSeconds }) => atSeconds)).toEqual(
      told.map(({ atSeconds }) => atSeconds).sort((a, b) => a - b),
    );
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
