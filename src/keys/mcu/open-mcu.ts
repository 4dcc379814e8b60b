import type { Clock } from "../../clock.ts";
import type { McuSettings } from "../../config/settings.ts";
import type { Logger } from "../../log.ts";
import { portAt } from "../../serial/port-at.ts";
import { SmpLink } from "../../serial/smp-link.ts";
import type { OpenedMcu } from "./opened-mcu.ts";

/** What the link to the MCU works with. */
export interface McuSurroundings {
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
}

/** Begins to open the port of the MCU; resolves at once, since it may be plugged in later. */
export async function openMcu(
  { port, baudRate }: McuSettings,
  { clock, random, log }: McuSurroundings,
): Promise<OpenedMcu> {
  const link = await SmpLink.start({ port: portAt(port, baudRate), clock, random, logger: log });
  return { link, close: () => link.close(), [Symbol.asyncDispose]: () => link.close() };
}
