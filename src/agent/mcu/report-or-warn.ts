import { describeCause, isLandfallError } from "../../errors.ts";
import type { JsonObject } from "../../json.ts";
import type { Agent } from "../agent.ts";
import type { McuDuty } from "./mcu-duty.ts";

/**
 * Reports properties; resolves with whether the twin took them. A hub that did not is no reason to end a duty, and is logged.
 * Rejects with the duty's reason to end, or `hub.closed`.
 */
export async function reportOrWarn(
  agent: Pick<Agent, "report">,
  patch: JsonObject,
  { log, signal }: Pick<McuDuty, "log" | "signal">,
): Promise<boolean> {
  try {
    await agent.report(patch, { signal });
    return true;
  } catch (error) {
    signal.throwIfAborted();
    if (isLandfallError(error) && error.code === "hub.closed") throw error;
    log.warn(`the twin does not say how the MCU is: ${describeCause(error)}`, { error });
    return false;
  }
}
