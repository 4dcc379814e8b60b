import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { type EndedProcess, runProcess } from "../support/landfall-process.ts";
import { ScratchFolder } from "../support/scratch-folder.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const folder = new ScratchFolder();
const user = folder.file("user");
const installed = join(user, "node_modules/landfall");

interface PackedFile {
  readonly path: string;
  readonly mode: number;
}

interface LockedPackage {
  readonly dev?: boolean;
  readonly optional?: boolean;
}

let packed: readonly PackedFile[];

/** Runs a program, which has to succeed. */
async function succeed(command: string, args: readonly string[], cwd: string): Promise<EndedProcess> {
  const ended = await runProcess(command, args, { cwd });
  if (ended.code !== 0)
    throw new Error(`${command} ${args.join(" ")} ended with ${ended.code}\n${ended.out}${ended.err}`);
  return ended;
}

const read = (path: string): string => readFileSync(path, "utf8");

/** The packages that somebody gets who installs this one: no tools of ours among them. */
function productionPackages(): string[] {
  const lock = JSON.parse(read(join(root, "package-lock.json"))) as { packages: Record<string, LockedPackage> };
  const names = Object.entries(lock.packages).filter(
    ([path, { dev }]) => /^node_modules\/[^/]+(\/[^/]+)?$/.test(path) && !dev,
  );
  return names.map(([path]) => path.slice("node_modules/".length));
}

// Built and packed in a folder of its own: the one at hand is in use, and may hold what is no longer made.
beforeAll(async () => {
  const work = folder.file("package");
  for (const name of ["package.json", "README.md", "LICENSE", "CHANGELOG.md", "docs", "native", ".ci"]) {
    cpSync(join(root, name), join(work, name), { recursive: true });
  }
  const outDir = join(work, "dist");
  await succeed(join(root, "node_modules/.bin/tsc"), ["-p", "tsconfig.build.json", "--outDir", outDir], root);
  await succeed(process.execPath, [".ci/mark-executable.mjs"], work);
  const { out } = await succeed("npm", ["pack", "--ignore-scripts", "--json", "--pack-destination", folder.path], work);
  const [pack] = JSON.parse(out) as { filename: string; files: PackedFile[] }[];
  packed = pack?.files ?? [];

  mkdirSync(installed, { recursive: true });
  await succeed("tar", ["-xzf", folder.file(pack?.filename ?? ""), "--strip-components=1", "-C", installed], user);
  rmSync(work, { recursive: true });
  for (const name of productionPackages()) {
    const link = join(user, "node_modules", name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(root, "node_modules", name), link);
  }
  await folder.write("user/package.json", '{ "type": "module" }');
});

/** A path at its begin: not as the tail of a relative one. */
const atBegin = (path: string): RegExp => new RegExp(`(?<![\\w.])${path.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}`);

describe("the packed package", () => {
  test("holds the built program, its types and its pages, and nothing else", () => {
    const odd = packed.filter(
      ({ path }) =>
        !/^dist\/(src|firmware-sim)\/[\w./-]+(\.js|\.d\.ts)$/.test(path) &&
        !/^docs\/([a-z-]+\.md|mcu\.cddl)$/.test(path) &&
        !["package.json", "README.md", "LICENSE", "CHANGELOG.md", "native/landfall-engine.c"].includes(path),
    );
    expect(odd).toEqual([]);
    expect(packed.filter(({ path }) => /\.(test|spec)\./.test(path))).toEqual([]);
    expect(packed).toContainEqual(expect.objectContaining({ path: "native/landfall-engine.c" }));
    for (const page of ["cli.md", "configuration.md", "errors.md", "events.md", "mcu.cddl"]) {
      expect(packed).toContainEqual(expect.objectContaining({ path: `docs/${page}` }));
    }
  });

  test("has every module with its types, and commands that can be executed", () => {
    const paths = new Set(packed.map(({ path }) => path));
    const modules = [...paths].filter((path) => path.endsWith(".js"));
    expect(modules.length).toBeGreaterThan(100);
    for (const path of modules) expect(paths).toContain(path.replace(/js$/, "d.ts"));
    for (const program of ["dist/src/cli/main.js", "dist/firmware-sim/cli/main.js"]) {
      const main = packed.find(({ path }) => path === program);
      expect(((main?.mode ?? 0) & 0o111).toString(8)).toBe("111");
      expect(read(join(installed, program))).toMatch(/^#!\/usr\/bin\/env node\n/);
    }
  });

  test("tells nothing of the machine that built it", () => {
    const files = readdirSync(installed, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    for (const { parentPath, name } of files) {
      const text = read(join(parentPath, name));
      // With what follows them: a home may be a name as short as "/root".
      for (const place of [root, `${homedir()}/`, `${folder.path}/`]) expect(text).not.toMatch(atBegin(place));
    }
  });

  test("is of the version that the command and the list of changes tell", async () => {
    const { version } = JSON.parse(read(join(installed, "package.json"))) as { version: string };
    const { out } = await succeed(process.execPath, [join(installed, "dist/src/cli/main.js"), "--version"], user);
    expect(out).toBe(`${version}\n`);
    expect(read(join(installed, "CHANGELOG.md"))).toMatch(/^## (Unreleased|\d+\.\d+\.\d+)/m);
  });

  test("gives every entry to whoever imports it, and hides what is no entry", async () => {
    const { exports } = JSON.parse(read(join(installed, "package.json"))) as { exports: Record<string, unknown> };
    const entries = Object.keys(exports).map((entry) => entry.replace(/^\./, "landfall"));
    expect(entries).toEqual([
      "landfall",
      "landfall/azure-sdk",
      "landfall/emulator",
      "landfall/mcu-sim",
      "landfall/testing",
      "landfall/package.json",
    ]);
    await folder.write(
      "user/entries.mjs",
      `import { Agent, LandfallError } from "landfall";
      import { AzureSdkHubTransport } from "landfall/azure-sdk";
      import { Emulator } from "landfall/emulator";
      import { SimulatedMcu } from "landfall/mcu-sim";
      import { FakeHubTransport } from "landfall/testing";
      import manifest from "landfall/package.json" with { type: "json" };
      const values = [Agent, LandfallError, AzureSdkHubTransport, Emulator, SimulatedMcu, FakeHubTransport];
      console.log(values.map(({ name }) => name).join(), manifest.name);
      await import("landfall/dist/src/errors.js").catch(({ code }) => console.log(code));`,
    );
    const { out } = await succeed(process.execPath, ["--disable-warning=ExperimentalWarning", "entries.mjs"], user);
    expect(out).toBe(
      "Agent,LandfallError,AzureSdkHubTransport,Emulator,SimulatedMcu,FakeHubTransport landfall\nERR_PACKAGE_PATH_NOT_EXPORTED\n",
    );
  });

  test("has types that a strict program of its user compiles with", async () => {
    await folder.write(
      "user/program.ts",
      `import { Agent, type Configuration, type HubTransport, isLandfallError } from "landfall";
      import { Emulator } from "landfall/emulator";
      import { SimulatedMcu } from "landfall/mcu-sim";
      import { FakeClock, MemoryPort } from "landfall/testing";

      const configuration: Configuration = {
        provisioning: {
          source: "dps",
          id_scope: "0ne1",
          attestation: { method: "symmetric_key", registration_id: "a", symmetric_key: { env: "KEY" } },
        },
      };
      export async function main(hubTransport: HubTransport): Promise<number> {
        await using emulator = await Emulator.start();
        await using agent = await Agent.create(configuration, { hubTransport, clock: new FakeClock() });
        agent.on("connected", ({ hub }) => hub.length);
        agent.onMethod("blink", ({ payload }) => ({ status: 200, payload }));
        using mcu = new SimulatedMcu({ commands: { press: (args) => ({ status: 200, result: args ?? null }) } });
        mcu.on("executed", ({ name }) => name.length);
        await new MemoryPort((far) => mcu.attach(far)).open();
        for await (const { version } of agent.desiredChanges()) return version + emulator.ready.mqttPort;
        return isLandfallError(undefined) ? 1 : 0;
      }
      // @ts-expect-error a source that there is not
      export const wrong: Configuration = { provisioning: { source: "stars" } };`,
    );
    await folder.write(
      "user/tsconfig.json",
      JSON.stringify({
        compilerOptions: {
          ...{ target: "es2023", module: "nodenext", lib: ["es2023", "esnext.disposable"], types: ["node"] },
          ...{ strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, noEmit: true },
          skipLibCheck: false,
        },
        files: ["program.ts"],
      }),
    );
    const ended = await runProcess(join(root, "node_modules/.bin/tsc"), ["-p", "."], { cwd: user });
    expect(ended).toMatchObject({ code: 0, out: "" });
  });

  test("runs the whole demo with nothing but the packages that it names", async () => {
    const { out } = await succeed(process.execPath, [join(installed, "dist/src/cli/main.js"), "demo", "--json"], user);
    expect(JSON.parse(out)).toMatchObject({ schema: "landfall.demo/1", missing: [] });
  });
});
