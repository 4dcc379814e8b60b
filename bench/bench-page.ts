import type { BenchResults, Measurement } from "./results.ts";

/** The page with the results of one run. */
export function benchPage({ machine, versions, rounds, bareNodeMs, measurements }: BenchResults): string {
  return `${[
    "# Bench",
    "landfall beside Microsoft's device library for Node: the same device, the same emulator, whole processes, in one run. " +
      "Ratios are what counts; the times are those of one machine. `npm run bench` repeats it (`--runs N`; `--out docs` writes " +
      "this page; `--check` fails when bytes or round trips miss their budget).",
    `Machine: ${machine}. A Node that does nothing takes ${Math.round(bareNodeMs)} ms; every start has that in it.`,
    `Compared: ${versions}. Medians of ${rounds} rounds, in each of which everything is run once, in turn.`,
    [
      "| what | Azure SDK | landfall | ratio | budget | |",
      "|---|---:|---:|---:|---:|---|",
      ...measurements.map(row),
    ].join("\n"),
    "## What is measured",
    [
      "- **Start**: from the start of the process until its first telemetry is acknowledged, over MQTT with a symmetric key. " +
        "The SDK's device registers and connects, as its samples do, at every start. landfall's is `landfall run` with its " +
        "configuration file; *never provisioned* registers and connects, *stored assignment* connects.",
      "- **Without the wait**: DPS asks every client to wait before it polls, here one second, the least that it can say. " +
        "Both obey; the row without it shows what the clients themselves take.",
      "- **Cold**: the files of the program are read from the disk, as after a boot. Node's own are not: it runs the bench. In " +
        "all other rows both have their files in memory.",
      "- **Single file**: `npm run bundle` makes the program one file for devices. **From the package**: as npm installs it.",
      "- **Memory**: the most that the process ever held (`VmHWM`), read while it is connected and idle.",
      "- **Installed**: the single file, against the SDK's packages for MQTT and all they depend on.",
      "- **On the wire**: everything that one registration sends and receives above TCP, TLS included.",
      "- **Round trips**: how often the device had to wait for an answer before it could send what came next, until its first " +
        "telemetry was acknowledged; counted on the wire, where a round trip took 200 ms longer, as in the rows *200 ms away*. " +
        "The TCP handshake counts as one.",
    ].join("\n"),
  ].join("\n\n")}\n`;
}

function row({ what, unit, sdk, landfall, ratio, budget }: Measurement): string {
  const verdict = budget === undefined ? "" : ratio <= budget ? "kept" : "**missed**";
  const cells = [what, shown(sdk, unit), shown(landfall, unit), ratio.toFixed(3), budget ?? "", verdict];
  return `| ${cells.join(" | ")} |`;
}

function shown(value: number, unit: Measurement["unit"]): string {
  switch (unit) {
    case "ms":
      return `${Math.round(value)} ms`;
    case "MB":
      return `${(value / 1e6).toFixed(1)} MB`;
    case "bytes":
      return `${value} bytes`;
    case "round trips":
      return value.toFixed(1);
  }
}
