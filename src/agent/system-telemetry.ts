import { readFile } from "node:fs/promises";
import { freemem, loadavg, totalmem, uptime } from "node:os";

/**
 * How the machine and the agent are doing; as JSON, this is the body of the agent's own telemetry:
 *
 * ```json
 * {
 *   "uptimeSeconds": 86400,
 *   "loadAverage": { "oneMinute": 0.42, "fiveMinutes": 0.35, "fifteenMinutes": 0.3 },
 *   "memory": { "totalBytes": 4080218112, "availableBytes": 3221225472 },
 *   "agent": { "uptimeSeconds": 3600, "memoryBytes": 52428800 },
 *   "cpuCelsius": 48.3
 * }
 * ```
 */
export type SystemSnapshot = {
  /** Since the machine was started. */
  readonly uptimeSeconds: number;
  /** Processes that run or want to run, on average; zeros on Windows, which does not count them. */
  readonly loadAverage: {
    readonly oneMinute: number;
    readonly fiveMinutes: number;
    readonly fifteenMinutes: number;
  };
  readonly memory: {
    readonly totalBytes: number;
    /** What programs could still get, caches that would give way included. */
    readonly availableBytes: number;
  };
  readonly agent: {
    readonly uptimeSeconds: number;
    /** Resident memory of the process. */
    readonly memoryBytes: number;
  };
  /** Absent on machines that do not tell. */
  readonly cpuCelsius?: number;
};

/** Where Linux tells the temperature of the processor, in thousandths of a degree. */
const temperatureFile = "/sys/class/thermal/thermal_zone0/temp";

/**
 * Looks at the machine. Never rejects: what cannot be read is left out.
 * @param readText reads a file of the system; default: from the disk
 */
export async function systemSnapshot(
  readText: (path: string) => Promise<string> = (path) => readFile(path, "utf8"),
): Promise<SystemSnapshot> {
  const [oneMinute = 0, fiveMinutes = 0, fifteenMinutes = 0] = loadavg().map(hundredths);
  const cpuCelsius = await cpuTemperature(readText);
  return {
    uptimeSeconds: Math.floor(uptime()),
    loadAverage: { oneMinute, fiveMinutes, fifteenMinutes },
    memory: { totalBytes: totalmem(), availableBytes: freemem() },
    agent: { uptimeSeconds: Math.floor(process.uptime()), memoryBytes: process.memoryUsage.rss() },
    ...(cpuCelsius === undefined ? {} : { cpuCelsius }),
  };
}

async function cpuTemperature(readText: (path: string) => Promise<string>): Promise<number | undefined> {
  try {
    const text = (await readText(temperatureFile)).trim();
    const celsius = Number(text) / 1000;
    // Some drivers give 0 or a number from nowhere while the sensor is off.
    return text !== "" && celsius > -100 && celsius < 200 && celsius !== 0 ? hundredths(celsius) : undefined;
  } catch {
    return undefined;
  }
}

const hundredths = (value: number): number => Math.round(value * 100) / 100;
