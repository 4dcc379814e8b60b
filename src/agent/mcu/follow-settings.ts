import { Backoff } from "../../backoff.ts";
import { describeCause, isLandfallError } from "../../errors.ts";
import type { Agent } from "../agent.ts";
import type { McuDuty } from "./mcu-duty.ts";
import {
  applySettings,
  type SettingOutcome,
  settingsReport,
  type WantedSetting,
  wantedSettings,
} from "./mcu-settings.ts";
import { reportOrWarn } from "./report-or-warn.ts";

/** Delays before an MCU that did not answer is asked again. */
const patience = { baseMs: 1_000, capMs: 60_000 };

/**
 * Has the MCU follow the desired properties of its component, until the duty's signal aborts, and reports what became of
 * each. A change waits for the MCU as long as it takes; changes are applied in their order.
 * Resolves at the end. Never rejects.
 */
export async function followSettings(
  agent: Pick<Agent, "desiredChanges" | "report">,
  duty: McuDuty & { readonly random: () => number },
): Promise<void> {
  const { log, signal } = duty;
  try {
    for await (const { patch, version } of agent.desiredChanges({ signal })) {
      const wanted = wantedSettings(patch);
      if (wanted.length === 0) continue;
      const outcomes = await applied(wanted, duty);
      await reportOrWarn(agent, settingsReport(outcomes, version), duty);
    }
  } catch (error) {
    if (signal.aborted || (isLandfallError(error) && ["hub.closed", "serial.closed"].includes(error.code))) return;
    log.error(`following the settings of the MCU has ended: ${describeCause(error)}`, { error });
  }
}

async function applied(
  wanted: readonly WantedSetting[],
  { link, clock, log, signal, random }: McuDuty & { readonly random: () => number },
): Promise<readonly SettingOutcome[]> {
  const backoff = new Backoff({ ...patience, random });
  for (;;) {
    try {
      return await applySettings(link, wanted, { signal });
    } catch (error) {
      signal.throwIfAborted();
      if (!isLandfallError(error) || error.retry === "never") throw error;
      log.warn(`the settings of the MCU wait for it: ${error.message}`);
      await clock.sleep(backoff.next(), { signal });
    }
  }
}
