import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { dropFromPageCache } from "./page-cache.ts";
import type { Traffic } from "./wire-proxy.ts";
import type { World } from "./world.ts";

/** What one whole life of a device process came to. */
export interface DeviceRun {
  /** From the start of the process until its first telemetry was acknowledged, milliseconds. */
  readonly startMs: number;
  /** Processor time that the process had used by then, milliseconds. */
  readonly processorMs: number;
  /** The most memory that the process ever held, connected and idle at the end, bytes. */
  readonly peakMemoryBytes: number;
  /** Until its first telemetry was acknowledged, and in the idle time that followed. */
  readonly traffic: Traffic;
}

/** What {@link runDevice} takes. */
export interface RunOptions {
  /** Whether it has never been provisioned. */
  readonly fresh: boolean;
  /** Whether its files are read from the disk, as after a boot. Default: from memory. */
  readonly fromDisk?: boolean;
  /** How long the device stays connected after its first telemetry, milliseconds. Default 0. */
  readonly idleMs?: number;
  /** How much longer a round trip takes, milliseconds. Default 0. */
  readonly roundTripMs?: number;
}

/** Starts a device in a process of its own, waits until its first telemetry is acknowledged, and ends it. */
export async function runDevice(world: World, options: RunOptions): Promise<DeviceRun> {
  const { fresh, fromDisk = false, idleMs = 0, roundTripMs = 0 } = options;
  world.proxy.roundTripMs = roundTripMs;
  const { args, env, input, acknowledged } = await world.start(fresh);
  world.proxy.takeTraffic();
  if (fromDisk) dropFromPageCache(world.programFiles);
  const startedAt = performance.now();
  const child = spawn(process.execPath, args, {
    stdio: ["pipe", "pipe", "inherit"],
    // Nothing else of this environment: further CAs or options for Node in it would be work for one of the two alone.
    env: { PATH: process.env.PATH, ...env },
  });
  const closed = once(child, "close");
  child.stdin.write(input);
  let out = "";
  for await (const chunk of child.stdout) {
    out += chunk;
    if (out.includes(acknowledged)) break;
  }
  const startMs = performance.now() - startedAt;
  if (!out.includes(acknowledged)) throw new Error(`a device ended without telemetry: ${args.join(" ")}\n${out}`);
  const processorMs = processorMsOf(child.pid);
  if (idleMs > 0) await delay(idleMs);
  const peakMemoryBytes = peakMemoryOf(child.pid);
  const traffic = world.proxy.takeTraffic();
  child.kill("SIGKILL");
  await closed;
  return { startMs, processorMs, peakMemoryBytes, traffic };
}

/** From the start to the end of a Node that does nothing, milliseconds. */
export async function runBareNode(): Promise<number> {
  const startedAt = performance.now();
  await once(spawn(process.execPath, ["-e", "0"], { stdio: "ignore", env: { PATH: process.env.PATH } }), "close");
  return performance.now() - startedAt;
}

/** `VmHWM` of Linux. */
function peakMemoryOf(pid: number | undefined): number {
  const [, kilobytes = "0"] = /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kilobytes) * 1024;
}

/** `utime` and `stime` of Linux, in hundredths of a second; the name in front of them may hold anything but a last `)`. */
function processorMsOf(pid: number | undefined): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /s, "")
    .split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
