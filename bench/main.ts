import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { benchPage } from "./bench-page.ts";
import { type DeviceRun, type RunOptions, runDevice } from "./device-run.ts";
import { sdkInstallation } from "./installed-size.ts";
import { machineLine } from "./machine.ts";
import type { BenchResults, Measurement } from "./results.ts";
import { median } from "./statistics.ts";
import { openLandfallWorld, openSdkWorld, retryAfterSeconds, type World } from "./world.ts";

const rounds = 9;
const addedRoundTripMs = 200;
const idleMs = 3000;
const singleFile = "bundle/landfall.cjs";

await using sdk = await openSdkWorld();
await using landfall = await openLandfallWorld(singleFile);
await using fromPackage = await openLandfallWorld("dist/src/cli/main.js");

/** Everything that is run in each round. The first of a landfall world is fresh, so that the next has something stored. */
const series = {
  sdk: [sdk, { fresh: true, idleMs }],
  cold: [landfall, { fresh: true }],
  warm: [landfall, { fresh: false, idleMs }],
  packageCold: [fromPackage, { fresh: true }],
  packageWarm: [fromPackage, { fresh: false, idleMs }],
  sdkFar: [sdk, { fresh: true, roundTripMs: addedRoundTripMs }],
  coldFar: [landfall, { fresh: true, roundTripMs: addedRoundTripMs }],
  warmFar: [landfall, { fresh: false, roundTripMs: addedRoundTripMs }],
} as const satisfies Record<string, readonly [World, RunOptions]>;

type Series = keyof typeof series;

const runs = new Map<Series, DeviceRun[]>();
for (let round = 1; round <= rounds; round++) {
  process.stderr.write(`round ${round} of ${rounds}\n`);
  for (const [name, [world, options]] of Object.entries(series) as [Series, readonly [World, RunOptions]][]) {
    runs.set(name, [...(runs.get(name) ?? []), await runDevice(world, options)]);
  }
}

const of = (name: Series, value: (run: DeviceRun) => number): number => median((runs.get(name) ?? []).map(value));
const startOf = (name: Series): number => of(name, ({ startMs }) => startMs);
const waitMs = retryAfterSeconds * 1000;
const registrationBytes = ({ traffic: [first] }: DeviceRun): number =>
  (first?.sentBytes ?? 0) + (first?.receivedBytes ?? 0);
const roundTrips = (far: Series, near: Series): number => (startOf(far) - startOf(near)) / addedRoundTripMs;

function measured(
  what: string,
  unit: Measurement["unit"],
  [ofSdk, ofLandfall]: readonly [number, number],
  budget?: number,
): Measurement {
  const rest = budget === undefined ? {} : { budget };
  return { what, unit, sdk: ofSdk, landfall: ofLandfall, ratio: ofLandfall / ofSdk, ...rest };
}

const memory = ({ peakMemoryBytes }: DeviceRun): number => peakMemoryBytes;
const processor = ({ processorMs }: DeviceRun): number => processorMs;
const installation = sdkInstallation();
const measurements: readonly Measurement[] = [
  measured("start, never provisioned", "ms", [startOf("sdk"), startOf("cold")]),
  measured(
    "start, never provisioned, without the wait",
    "ms",
    [startOf("sdk") - waitMs, startOf("cold") - waitMs],
    0.6,
  ),
  measured("start, stored assignment", "ms", [startOf("sdk"), startOf("warm")], 0.4),
  measured("processor time of a start, never provisioned", "ms", [of("sdk", processor), of("cold", processor)]),
  measured("memory", "MB", [of("sdk", memory), of("warm", memory)], 0.8),
  measured("installed", "bytes", [installation.bytes, statSync(singleFile).size], 0.03),
  measured("on the wire, one registration", "bytes", [of("sdk", registrationBytes), of("cold", registrationBytes)], 1),
  measured("round trips, never provisioned", "round trips", [
    roundTrips("sdkFar", "sdk"),
    roundTrips("coldFar", "cold"),
  ]),
  measured("round trips, stored assignment", "round trips", [
    roundTrips("sdkFar", "sdk"),
    roundTrips("warmFar", "warm"),
  ]),
  measured("from the package: start, never provisioned, without the wait", "ms", [
    startOf("sdk") - waitMs,
    startOf("packageCold") - waitMs,
  ]),
  measured("from the package: start, stored assignment", "ms", [startOf("sdk"), startOf("packageWarm")]),
  measured("from the package: memory", "MB", [of("sdk", memory), of("packageWarm", memory)]),
];

const versionOf = (name: string): string =>
  (JSON.parse(readFileSync(`node_modules/${name}/package.json`, "utf8")) as { version: string }).version;
const results: BenchResults = {
  schema: "landfall.bench/1",
  machine: machineLine(),
  versions:
    `azure-iot-provisioning-device ${versionOf("azure-iot-provisioning-device")} and ` +
    `azure-iot-device ${versionOf("azure-iot-device")} (${installation.packages} packages installed)`,
  rounds,
  measurements,
};
const json = `${JSON.stringify(results, undefined, 2)}\n`;
mkdirSync("bench/out", { recursive: true });
writeFileSync("bench/out/results.json", json);
if (process.env.UPDATE_DOCS) {
  writeFileSync("docs/bench.json", json);
  writeFileSync("docs/bench.md", benchPage(results));
}
process.stdout.write(benchPage(results));
