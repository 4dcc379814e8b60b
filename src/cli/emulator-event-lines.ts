import type { Emulator, EmulatorEvent } from "../emulator/index.ts";
import { bodyOf } from "./message-body.ts";
import type { TextSink } from "./terminal.ts";

/**
 * Prints what DPS and hubs see as lines of JSON, `landfall.emulator-event/1`: what has happened, then what happens. Resolves
 * when the emulator is closed or `signal` aborts.
 */
export async function printEmulatorEvents(
  emulator: Pick<Emulator, "events" | "hub">,
  out: Pick<TextSink, "write">,
  { signal }: { readonly signal: AbortSignal },
): Promise<void> {
  try {
    for await (const event of emulator.events.watch({ signal })) {
      const { kind, atMs, elapsedMs: _, ...fields } = event;
      const line = { schema: "landfall.emulator-event/1", time: new Date(atMs).toISOString(), event: kind, ...fields };
      out.write(`${JSON.stringify({ ...line, ...messageOf(emulator, event) })}\n`);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** Whoever reads lines cannot ask the hub: the event of a message brings the message along. */
function messageOf(emulator: Pick<Emulator, "hub">, event: EmulatorEvent): object {
  if (event.kind !== "hub.telemetry") return {};
  const { sequenceNumber } = event;
  const message = emulator.hub(event.hub).received.findLast((each) => each.sequenceNumber === sequenceNumber);
  if (message === undefined) return {};
  const { payload, enqueuedAtMs: _, ...about } = message;
  return { ...about, body: bodyOf(payload) };
}
