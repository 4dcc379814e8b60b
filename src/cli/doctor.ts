import { open } from "node:fs/promises";
import { systemClock } from "../clock.ts";
import { parseDuration } from "../config/duration.ts";
import { type LoadedFile, loadSettings } from "../config/load.ts";
import { supportBundle } from "../doctor/bundle.ts";
import { allChecks } from "../doctor/catalogue.ts";
import { examine } from "../doctor/examine.ts";
import { openContext } from "../doctor/open-context.ts";
import type { DoctorReport } from "../doctor/report.ts";
import { describeCause, LandfallError } from "../errors.ts";
import { type Command, configOption, type ExitCode, type Invocation, jsonOption, textOption } from "./command.ts";
import { conclusionLines, resultLines } from "./doctor-lines.ts";
import { exitCodeFor } from "./error-report.ts";
import type { Terminal } from "./terminal.ts";

const defaultTimeLimitMs = 60_000;

/** `landfall doctor`: finds out what keeps this device from its hub. */
export const doctor: Command = {
  name: "doctor",
  description:
    "Looks at everything between this device and its hub, and names what is wrong and whom to ask for what. Changes " +
    "nothing: it registers nothing, and writes no file but the bundle. With a strict configuration it contacts no global " +
    "endpoint. Exit codes: 0 all is well, 1 warnings, 2 failures, 3 bad configuration or usage, 4 could not finish.",
  options: {
    ...configOption,
    ...jsonOption("landfall.doctor/1; of --list, landfall.doctor-checks/1"),
    list: { type: "boolean", help: "list the checks, and run none" },
    only: {
      type: "string",
      multiple: true,
      value: "ID",
      help: "run this check, or those that begin with ID, and what they depend on; may be repeated",
    },
    skip: { type: "string", multiple: true, value: "ID", help: "leave this check out, and those that depend on it" },
    "hub-connect": {
      type: "boolean",
      help: "also connect to the hub as the device; that throws out an agent that runs, so stop it first",
    },
    "time-limit": { type: "string", value: "TIME", help: "longest time for everything (default: 60s)" },
    bundle: {
      type: "string",
      value: "FILE",
      help: "write a support bundle: the report and what it rests on, redacted",
    },
    verbose: { type: "boolean", short: "v", help: "tell of every check what was seen" },
  },
  async run(invocation) {
    if (invocation.options.list === true) return list(invocation);
    const { options, env, terminal, signal } = invocation;
    const file = textOption(options, "config");
    const asJson = options.json === true;
    const verbose = options.verbose === true;
    let loaded: LoadedFile | undefined;
    const report = await examine({
      clock: systemClock,
      load: async () => {
        loaded = await loadSettings({ env, ...(file === undefined ? {} : { file }) });
        return loaded;
      },
      open: (found, limit) =>
        openContext(found, { clock: systemClock, signal: limit, mayConnectToHub: options["hub-connect"] === true }),
      only: listOption(options.only),
      skip: listOption(options.skip),
      timeLimitMs: timeLimitOption(textOption(options, "time-limit")),
      signal,
      ...(asJson ? {} : { onResult: (result) => terminal.out.write(resultLines(result, terminal.out, { verbose })) }),
    });
    terminal.out.write(asJson ? `${JSON.stringify(report)}\n` : conclusionLines(report, terminal.out));
    const bundle = textOption(options, "bundle");
    if (bundle !== undefined) await writeBundle(bundle, report, loaded, terminal);
    return report.exitCode;
  },
  /** 1 and 2 are what an examination comes to. */
  exitCodeFor: (error) => (exitCodeFor(error) === 2 ? 3 : 4),
};

function list({ options, terminal }: Invocation): ExitCode {
  if (options.json === true) {
    const checks = allChecks.map(({ id, group, title, does, dependsOn }) => ({ id, group, title, does, dependsOn }));
    terminal.out.write(`${JSON.stringify({ schema: "landfall.doctor-checks/1", checks })}\n`);
  } else {
    const width = Math.max(...allChecks.map(({ id }) => id.length));
    for (const { id, title } of allChecks) terminal.out.write(`${id.padEnd(width)}  ${title}\n`);
  }
  return 0;
}

async function writeBundle(
  path: string,
  report: DoctorReport,
  loaded: LoadedFile | undefined,
  { err }: Terminal,
): Promise<void> {
  const text = `${JSON.stringify(await supportBundle(report, loaded?.settings), undefined, 2)}\n`;
  try {
    const file = await open(path, "w", 0o600);
    try {
      // A file that was there may be open to others.
      await file.chmod(0o600);
      await file.writeFile(text);
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw new LandfallError("cli.usage", `--bundle: ${path} cannot be written: ${describeCause(cause)}`, { cause });
  }
  err.write(`wrote ${path}; ids are shortened and secrets left out, and you may want to read it before you send it\n`);
}

/** Ids may be repeated options, or one option with commas. */
function listOption(value: Invocation["options"][string]): string[] {
  return Array.isArray(value) ? value.flatMap((each: string) => each.split(",")).filter((each) => each !== "") : [];
}

function timeLimitOption(text: string | undefined): number {
  if (text === undefined) return defaultTimeLimitMs;
  const ms = parseDuration(text);
  if (ms !== undefined && ms > 0) return ms;
  throw new LandfallError("cli.usage", `--time-limit: expected a time such as 90s, got "${text}"`);
}
