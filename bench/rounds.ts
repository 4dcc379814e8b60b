import { type DeviceRun, type RunOptions, runBareNode, runDevice } from "./device-run.ts";
import { dropFromPageCache } from "./page-cache.ts";
import type { World } from "./world.ts";

/** How much longer a round trip takes in the runs far away, milliseconds. */
export const addedRoundTripMs = 200;

const idleMs = 1000;
const far = { roundTripMs: addedRoundTripMs };

/** Everything that is run in each round. A world's first is fresh, so that the next finds something stored. */
const schedule = {
  sdk: ["sdk", { fresh: true, idleMs }],
  first: ["singleFile", { fresh: true }],
  again: ["singleFile", { fresh: false, idleMs }],
  packageFirst: ["fromPackage", { fresh: true }],
  packageAgain: ["fromPackage", { fresh: false, idleMs }],
  sdkFar: ["sdk", { fresh: true, ...far }],
  firstFar: ["singleFile", { fresh: true, ...far }],
  againFar: ["singleFile", { fresh: false, ...far }],
  sdkFromDisk: ["sdk", { fresh: true, fromDisk: true }],
  firstFromDisk: ["singleFile", { fresh: true, fromDisk: true }],
  againFromDisk: ["singleFile", { fresh: false, fromDisk: true }],
} as const satisfies Record<string, readonly [keyof Worlds, RunOptions]>;

/** The subjects of the bench. */
export interface Worlds {
  readonly sdk: World;
  readonly singleFile: World;
  readonly fromPackage: World;
}

/** A kind of run that is repeated in every round. */
export type Series = keyof typeof schedule;

/** All runs of each series, and of a Node that does nothing. */
export interface Rounds {
  readonly runs: ReadonlyMap<Series, readonly DeviceRun[]>;
  readonly bareNodeMs: readonly number[];
}

/**
 * Runs everything so many times, in turn: whatever keeps the machine busy for a while hits all alike. Series that read from
 * the disk are absent where the system does not forget what it has read.
 */
export async function runRounds(worlds: Worlds, rounds: number): Promise<Rounds> {
  const forgets = Object.values(worlds).every(({ programFiles }) => dropFromPageCache(programFiles));
  if (!forgets) process.stderr.write("nothing is read from the disk: this system keeps files in memory\n");
  const runs = new Map<Series, DeviceRun[]>();
  const bareNodeMs: number[] = [];
  for (let round = 1; round <= rounds; round++) {
    process.stderr.write(`round ${round} of ${rounds}\n`);
    bareNodeMs.push(await runBareNode());
    for (const [name, [world, options]] of Object.entries(schedule) as [Series, (typeof schedule)[Series]][]) {
      if ("fromDisk" in options && !forgets) continue;
      runs.set(name, [...(runs.get(name) ?? []), await runDevice(worlds[world], options)]);
    }
  }
  return { runs, bareNodeMs };
}
