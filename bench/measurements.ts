import type { DeviceRun } from "./device-run.ts";
import type { Measurement } from "./results.ts";
import { addedRoundTripMs, type Rounds, type Series } from "./rounds.ts";
import { median } from "./statistics.ts";
import { retryAfterSeconds } from "./world.ts";

type Value = (run: DeviceRun) => number;

const start: Value = ({ startMs }) => startMs;
const startWithoutWait: Value = ({ startMs }) => startMs - retryAfterSeconds * 1000;
const processor: Value = ({ processorMs }) => processorMs;
const memory: Value = ({ peakMemoryBytes }) => peakMemoryBytes;
const roundTrips: Value = ({ traffic }) => traffic.roundTrips;
const registrationBytes: Value = ({
  traffic: {
    connections: [first],
  },
}) => (first?.sentBytes ?? 0) + (first?.receivedBytes ?? 0);

/** What is compared, in the order of the page: what the SDK came to, what landfall came to, and the budget if there is one. */
export function measurementsOf(
  { runs }: Rounds,
  installed: { readonly sdk: number; readonly landfall: number },
): readonly Measurement[] {
  const compare = (
    what: string,
    unit: Measurement["unit"],
    [sdk, ofSdk]: readonly [Series, Value],
    [landfall, ofLandfall]: readonly [Series, Value],
    budget?: number,
  ): readonly Measurement[] => {
    const [sdkRuns, landfallRuns] = [runs.get(sdk), runs.get(landfall)];
    // What this machine cannot do has no runs.
    if (sdkRuns === undefined || landfallRuns === undefined) return [];
    return [measurement(what, unit, median(sdkRuns.map(ofSdk)), median(landfallRuns.map(ofLandfall)), budget)];
  };
  const first = "start, never provisioned";
  const again = "start, stored assignment";
  const noWait = "without the wait";
  return [
    ...compare(first, "ms", ["sdk", start], ["first", start]),
    ...compare(`${first}, ${noWait}`, "ms", ["sdk", startWithoutWait], ["first", startWithoutWait], 0.6),
    ...compare(again, "ms", ["sdk", start], ["again", start], 0.4),
    ...compare(
      `cold: ${first}, ${noWait}`,
      "ms",
      ["sdkFromDisk", startWithoutWait],
      ["firstFromDisk", startWithoutWait],
    ),
    ...compare(`cold: ${again}`, "ms", ["sdkFromDisk", start], ["againFromDisk", start]),
    ...compare("processor time of a start, never provisioned", "ms", ["sdk", processor], ["first", processor]),
    ...compare("memory", "MB", ["sdk", memory], ["again", memory], 0.8),
    measurement("installed", "bytes", installed.sdk, installed.landfall, 0.03),
    ...compare("on the wire, one registration", "bytes", ["sdk", registrationBytes], ["first", registrationBytes], 1),
    ...compare("round trips, never provisioned", "round trips", ["sdkFar", roundTrips], ["firstFar", roundTrips], 1),
    ...compare("round trips, stored assignment", "round trips", ["sdkFar", roundTrips], ["againFar", roundTrips], 0.5),
    ...compare(`${addedRoundTripMs} ms away: ${first}`, "ms", ["sdkFar", start], ["firstFar", start]),
    ...compare(`${addedRoundTripMs} ms away: ${again}`, "ms", ["sdkFar", start], ["againFar", start]),
    ...compare(
      `from the package: ${first}, ${noWait}`,
      "ms",
      ["sdk", startWithoutWait],
      ["packageFirst", startWithoutWait],
    ),
    ...compare(`from the package: ${again}`, "ms", ["sdk", start], ["packageAgain", start]),
    ...compare("from the package: memory", "MB", ["sdk", memory], ["packageAgain", memory]),
  ];
}

function measurement(
  what: string,
  unit: Measurement["unit"],
  sdk: number,
  landfall: number,
  budget: number | undefined,
): Measurement {
  return { what, unit, sdk, landfall, ratio: landfall / sdk, ...(budget === undefined ? {} : { budget }) };
}
