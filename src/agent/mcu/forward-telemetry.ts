import { describeCause, isLandfallError } from "../../errors.ts";
import { allowTelemetry, type McuMessage, telemetryReceiver } from "../../serial/groups/telemetry-group.ts";
import { jsonOf } from "../../serial/json-of.ts";
import { SmpRefusal, smpCodes } from "../../serial/smp-faults.ts";
import type { Agent } from "../agent.ts";
import type { McuDuty } from "./mcu-duty.ts";

/**
 * How often the MCU is told again that it may push, in milliseconds. It forgets with each restart, of which a plain UART
 * tells nothing.
 */
const remindMs = 15_000;

/**
 * Passes the messages of the MCU on to the hub until the duty's signal aborts, each once: the MCU is answered when the hub
 * has it, which is what holds the MCU back while the hub cannot be reached. The message id is `mcu-{boot}-{number}`, so that
 * a back end can tell a message that was sent again after the gateway itself had stopped.
 * Resolves at the end, or when the firmware has no telemetry. Never rejects.
 */
export async function forwardTelemetry(agent: Pick<Agent, "send">, duty: McuDuty): Promise<void> {
  const { link, clock, log, signal } = duty;
  const stopServing = link.serve(
    71,
    telemetryReceiver((message) => passOn(agent, message, signal)),
  );
  try {
    while (!signal.aborted) {
      if (!(await remind(duty))) return;
      await clock.sleep(remindMs, { signal });
    }
  } catch (error) {
    if (!signal.aborted) log.error(`the telemetry of the MCU has ended: ${describeCause(error)}`, { error });
  } finally {
    stopServing();
  }
}

async function passOn(agent: Pick<Agent, "send">, message: McuMessage, signal: AbortSignal): Promise<void> {
  const { boot, number, data, properties } = message;
  try {
    await agent.send(jsonOf(data), { properties, messageId: `mcu-${boot}-${number}`, signal });
  } catch (error) {
    if (!isLandfallError(error) || error.code !== "transport.message-too-large") throw error;
    // No repetition makes it smaller.
    throw new SmpRefusal("take telemetry", { group: 71, rc: smpCodes.tooLarge }, { cause: error });
  }
}

/** Whether the firmware has telemetry. */
async function remind({ link, log, signal }: McuDuty): Promise<boolean> {
  try {
    await allowTelemetry(link, true, { signal });
  } catch (error) {
    signal.throwIfAborted();
    if (isLandfallError(error) && error.code === "smp.unsupported") {
      log.info("the firmware of the MCU sends no telemetry");
      return false;
    }
    log.debug(() => `the MCU could not be told that it may send: ${describeCause(error)}`);
  }
  return true;
}
