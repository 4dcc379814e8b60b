import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../clock.ts";
import { isLandfallError, LandfallError } from "../errors.ts";
import { type Command, jsonOption } from "./command.ts";
import { firstAct } from "./demo/first-act.ts";
import { mcuAct } from "./demo/mcu-act.ts";
import { secondAct } from "./demo/second-act.ts";
import { steps } from "./demo/steps.ts";
import { Timeline } from "./demo/timeline.ts";

/** Longest time that the demo may take, in milliseconds; it takes a few seconds. */
const limitMs = 60_000;

/** `landfall demo`: the whole story in one terminal. */
export const demo: Command = {
  name: "demo",
  description:
    "Starts the emulator and an agent in a process of its own, with a freshly enrolled X.509 device, and tells what " +
    "happens: registration, telemetry, a direct method, the twin, a dropped connection, a restart, a private network, a microcontroller with the device's key. Exits by itself; " +
    "1 when a step did not happen.",
  options: {
    ...jsonOption("landfall.demo/1"),
  },
  async run({ terminal, signal, options }) {
    const wantsJson = options.json === true;
    const timeline = new Timeline(wantsJson ? terminal.err : terminal.out, systemClock);
    const directory = await mkdtemp(join(tmpdir(), "landfall-demo-"));
    const limit = AbortSignal.timeout(limitMs);
    let failure: unknown;
    try {
      const stage = { timeline, directory, signal: AbortSignal.any([signal, limit]) };
      await firstAct(stage);
      await secondAct(stage);
      await mcuAct(stage);
    } catch (error) {
      signal.throwIfAborted();
      failure = error;
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
    const missing = timeline.missing(steps);
    if (wantsJson) {
      terminal.out.write(`${JSON.stringify({ schema: "landfall.demo/1", steps: timeline.steps, missing })}\n`);
    }
    if (failure !== undefined || missing.length > 0) throw incomplete(missing, failure);
    timeline.close(`all ${steps.length} steps happened`);
    return 0;
  },
};

function incomplete(missing: readonly string[], failure: unknown): LandfallError {
  const what = `these steps did not happen: ${missing.join(", ") || "none is missing, but the end went wrong"}`;
  return new LandfallError("cli.demo-incomplete", what, {
    cause: failure,
    details: isLandfallError(failure) ? failure.details : [],
  });
}
