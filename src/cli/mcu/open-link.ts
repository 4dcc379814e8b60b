import { loadSettings } from "../../config/load.ts";
import { LandfallError } from "../../errors.ts";
import type { Port } from "../../serial/port.ts";
import { portAt } from "../../serial/port-at.ts";
import { SmpLink } from "../../serial/smp-link.ts";
import { type Invocation, textOption } from "../command.ts";

/**
 * Opens the link to the MCU that the command line names, else the configuration. Whoever waits for a port that went away
 * says so himself: the link's own warnings are shown with `--log-level warn` only.
 */
export async function openLink(invocation: Invocation): Promise<SmpLink> {
  const port = await portOf(invocation);
  return SmpLink.open({ port, logger: invocation.logger("error") }, { signal: invocation.signal });
}

async function portOf({ options, env }: Invocation): Promise<Port> {
  const baudRate = baudOption(textOption(options, "baud"));
  const named = textOption(options, "port");
  if (named !== undefined) return portAt(named, baudRate);
  const file = textOption(options, "config");
  const { settings } = await loadSettings({ env, ...(file === undefined ? {} : { file }) });
  if (settings.mcu === undefined) {
    throw new LandfallError("cli.usage", "mcu: expected --port, or [mcu] port in the configuration");
  }
  return portAt(settings.mcu.port, baudRate ?? settings.mcu.baudRate);
}

function baudOption(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^[1-9]\d{0,7}$/.test(text)) return Number(text);
  throw new LandfallError("cli.usage", `mcu --baud: expected bits per second, got "${text}"`);
}
