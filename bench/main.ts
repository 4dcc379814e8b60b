// The bench: `npm run bench -- [--runs N] [--out FOLDER] [--check]`.
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { benchPage } from "./bench-page.ts";
import { sdkInstallation } from "./installed-size.ts";
import { machineLine } from "./machine.ts";
import { measurementsOf } from "./measurements.ts";
import { type BenchResults, isCounted, missed } from "./results.ts";
import { type Rounds, runRounds } from "./rounds.ts";
import { median } from "./statistics.ts";
import { openLandfallWorld, openSdkWorld } from "./world.ts";

const { values: options } = parseArgs({
  options: {
    /** How many rounds. */
    runs: { type: "string", default: "9" },
    /** Where `bench.json` and `bench.md` are written. */
    out: { type: "string", default: "bench/out" },
    /** Fail when a budget is missed by what can be counted; what is timed depends on the machine and is only reported. */
    check: { type: "boolean", default: false },
  },
});
const rounds = Number(options.runs);
if (!Number.isInteger(rounds) || rounds < 1)
  throw new Error(`--runs: expected a whole number >= 1, got "${options.runs}"`);

const singleFile = "bundle/landfall.cjs";

async function measure(): Promise<Rounds> {
  await using sdk = await openSdkWorld();
  await using landfall = await openLandfallWorld(singleFile);
  await using fromPackage = await openLandfallWorld("dist/src/cli/main.js");
  return await runRounds({ sdk, singleFile: landfall, fromPackage }, rounds);
}

const versionOf = (name: string): string =>
  (JSON.parse(readFileSync(`node_modules/${name}/package.json`, "utf8")) as { version: string }).version;

const measured = await measure();
const installation = sdkInstallation();
const results: BenchResults = {
  schema: "landfall.bench/1",
  machine: machineLine(),
  versions:
    `azure-iot-provisioning-device ${versionOf("azure-iot-provisioning-device")} and ` +
    `azure-iot-device ${versionOf("azure-iot-device")} (${installation.packages} packages installed)`,
  rounds,
  bareNodeMs: median(measured.bareNodeMs),
  measurements: measurementsOf(measured, { sdk: installation.bytes, landfall: statSync(singleFile).size }),
};
const page = benchPage(results);
mkdirSync(options.out, { recursive: true });
writeFileSync(join(options.out, "bench.json"), `${JSON.stringify(results, undefined, 2)}\n`);
writeFileSync(join(options.out, "bench.md"), page);
process.stdout.write(page);
for (const measurement of missed(results)) {
  const { what, ratio, budget } = measurement;
  const fails = options.check && isCounted(measurement);
  process.stderr.write(`${fails ? "FAILED" : "missed"}: ${what}: ${ratio.toFixed(3)}, budget ${budget}\n`);
  if (fails) process.exitCode = 1;
}
