import { whenAborted } from "../../abort.ts";
import { describeCause } from "../../errors.ts";
import type { CborValue } from "../../serial/cbor.ts";
import { allowTelemetry, telemetryReceiver } from "../../serial/groups/telemetry-group.ts";
import { jsonOf } from "../../serial/json-of.ts";
import type { SmpLink } from "../../serial/smp-link.ts";
import type { ExitCode, Invocation } from "../command.ts";
import { plainLine } from "../plain-text.ts";
import { openLink } from "./open-link.ts";

/** How long the MCU gets to stop pushing when the monitor ends, in milliseconds. */
const stopTimeoutMs = 500;

/** `landfall mcu monitor`: until it is interrupted, which is how it is meant to end. */
export async function monitor(invocation: Invocation): Promise<ExitCode> {
  const { options, terminal, signal } = invocation;
  await using link = await openLink(invocation);
  const asJson = options.json === true;
  const print = (kind: string, text: string, more: object = {}): void => {
    const line = asJson
      ? JSON.stringify({ schema: "landfall.mcu-line/1", at: new Date().toISOString(), kind, ...more })
      : plainLine(text);
    terminal.out.write(`${line}\n`);
  };
  link.on("text", (text) => print("text", text, { text }));
  link.on("down", (error) => {
    if (asJson) print("down", "", { error: error.toJSON() });
    else terminal.err.write(`waiting for ${plainLine(error.message)}\n`);
  });
  link.on("up", () => (asJson ? print("up", "") : terminal.err.write(`${plainLine(link.portName)} is back\n`)));
  if (options.telemetry === true) await followTelemetry(link, print, invocation);
  await whenAborted(signal);
  if (options.telemetry === true && link.isUp) {
    await allowTelemetry(link, false, { signal: AbortSignal.timeout(stopTimeoutMs) }).catch(() => {});
  }
  return 0;
}

async function followTelemetry(
  link: SmpLink,
  print: (kind: string, text: string, more: object) => void,
  { logger, signal }: Invocation,
): Promise<void> {
  link.serve(
    71,
    telemetryReceiver(async ({ number, uptimeMs, data, properties }) => {
      const message = { number, uptimeMs, data: jsonOf(data as CborValue), properties };
      print("message", `message ${number}: ${JSON.stringify(message.data)}`, message);
    }),
  );
  // Off after each start of the firmware, and nobody knows what happened while the port was away.
  link.on("up", () => {
    allowTelemetry(link, true, { signal }).catch((error: unknown) => {
      if (!signal.aborted) logger("warn").warn(`the MCU does not send its messages: ${describeCause(error)}`);
    });
  });
  await allowTelemetry(link, true, { signal });
}
