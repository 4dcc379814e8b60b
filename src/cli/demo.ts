import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../clock.ts";
import { isLandfallError, LandfallError } from "../errors.ts";
import { type Command, jsonOption, type OptionValues, textOption } from "./command.ts";
import { firstAct } from "./demo/first-act.ts";
import { identities } from "./demo/identity/identities.ts";
import type { IdentityKind } from "./demo/identity/identity.ts";
import { mcuAct } from "./demo/mcu-act.ts";
import { secondAct } from "./demo/second-act.ts";
import { steps } from "./demo/steps.ts";
import { Timeline } from "./demo/timeline.ts";

/** Longest time that the demo may take, in milliseconds; it takes a few seconds. */
const limitMs = 60_000;

const defaultIdentity = "x509";

/** `landfall demo`: the whole story in one terminal. */
export const demo: Command = {
  name: "demo",
  description:
    "Starts the emulator and an agent in a process of its own, with a freshly enrolled device, and tells what happens: " +
    "registration, telemetry, a direct method, the twin, a dropped connection, a restart. Then carries a second " +
    "device into a private network and out again, and updates a microcontroller that has the key of a third. The first " +
    "device proves itself with what --identity says: tpm starts swtpm, a TPM in software, and pkcs11 makes its key in a " +
    "token of SoftHSM2; these have to be installed. Exits by itself; 1 when a step did not happen, 2 when something is " +
    "not installed.",
  options: {
    identity: {
      type: "string",
      value: "KIND",
      help: `of the first device: ${listed(Object.keys(identities))} (default: ${defaultIdentity})`,
    },
    ...jsonOption("landfall.demo/1"),
  },
  async run({ terminal, signal, options }) {
    const wantsJson = options.json === true;
    const { name: identity, kind } = chosenIdentity(options);
    await kind.require();
    const timeline = new Timeline(wantsJson ? terminal.err : terminal.out, systemClock);
    const directory = await mkdtemp(join(tmpdir(), "landfall-demo-"));
    const limit = AbortSignal.timeout(limitMs);
    let failure: unknown;
    try {
      const stage = { timeline, directory, signal: AbortSignal.any([signal, limit]) };
      await firstAct(kind, stage);
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
      const result = { schema: "landfall.demo/1", identity, steps: timeline.steps, missing };
      terminal.out.write(`${JSON.stringify(result)}\n`);
    }
    if (failure !== undefined || missing.length > 0) throw incomplete(missing, failure);
    timeline.close(`all ${steps.length} steps happened`);
    return 0;
  },
};

function chosenIdentity(options: OptionValues): { readonly name: string; readonly kind: IdentityKind } {
  const name = textOption(options, "identity") ?? defaultIdentity;
  const kind = Object.hasOwn(identities, name) ? identities[name] : undefined;
  if (kind !== undefined) return { name, kind };
  throw new LandfallError("cli.usage", `demo: expected --identity ${listed(Object.keys(identities))}, got "${name}"`);
}

/** "a, b or c". */
function listed(names: readonly string[]): string {
  return names.join(", ").replace(/, ([^,]*)$/, " or $1");
}

function incomplete(missing: readonly string[], failure: unknown): LandfallError {
  const what = `these steps did not happen: ${missing.join(", ") || "none is missing, but the end went wrong"}`;
  return new LandfallError("cli.demo-incomplete", what, {
    cause: failure,
    details: isLandfallError(failure) ? failure.details : [],
  });
}
