import { randomUUID } from "node:crypto";
import type { Clock } from "../../clock.ts";
import { isLandfallError, type LandfallError } from "../../errors.ts";
import { CommandsGroup } from "../../serial/groups/commands-group.ts";
import { IdentityGroup } from "../../serial/groups/identity-group.ts";
import { jsonOf } from "../../serial/json-of.ts";
import type { McuLink } from "../../serial/mcu-link.ts";
import { SmpRefusal } from "../../serial/smp-faults.ts";
import { whileUp } from "../../serial/while-up.ts";
import type { MethodRequest, MethodResponse } from "../../transport/messages.ts";

/** What {@link callMcu} works with. */
export interface McuCallOptions {
  readonly clock: Clock;
  /** Aborting rejects with `signal.reason`; the MCU goes on with what it has begun. */
  readonly signal: AbortSignal;
  /** Makes the id under which the MCU executes a command once. Default: a random UUID. */
  readonly newId?: () => string;
}

/**
 * Has the MCU answer a direct method, as a command of the same name. It is executed at most once, however often its
 * request or its answer is lost, and never later than its caller can expect: a port that is away, or goes away, ends the call.
 *
 * Resolves with the status and the result that the MCU gives, or with `{ error }` and 404 when it knows no such command, 500
 * when it has restarted meanwhile (whether it executed the command, nobody knows), 502 when it refuses or answers
 * something else, 503 when it is busy or its port is away, 504 when it does not answer. Rejects only with `signal.reason`.
 */
export async function callMcu(
  link: McuLink,
  { name, payload }: Pick<MethodRequest, "name" | "payload">,
  { clock, signal, newId = randomUUID }: McuCallOptions,
): Promise<MethodResponse> {
  let isSaid = false;
  try {
    const { status, result } = await whileUp(link, signal, async (whilePortStays) => {
      const { boot } = await new IdentityGroup(link).identity({ signal: whilePortStays });
      const command = { id: newId(), boot, name, ...(payload === null ? {} : { args: payload }) };
      isSaid = true;
      return new CommandsGroup(link, clock).execute(command, { signal: whilePortStays });
    });
    return result === undefined ? { status } : { status, payload: jsonOf(result) };
  } catch (error) {
    signal.throwIfAborted();
    if (!isLandfallError(error)) throw error;
    return { status: statusOf(error), payload: { error: messageOf(error, isSaid) } };
  }
}

function statusOf(error: LandfallError): number {
  if (error instanceof SmpRefusal && error.is("noEntry")) return 404;
  if (error instanceof SmpRefusal && error.is("badState")) return 500;
  if (error.code === "smp.timeout") return 504;
  return error.code === "smp.busy" || isOfPort(error) ? 503 : 502;
}

function messageOf(error: LandfallError, isSaid: boolean): string {
  const unknown = "whether it executed the command is not known";
  if (error instanceof SmpRefusal) {
    if (error.is("noEntry")) return "the MCU knows no such command";
    return error.is("badState") ? `the MCU has restarted meanwhile; ${unknown}` : error.message;
  }
  return isSaid && (error.code === "smp.timeout" || isOfPort(error)) ? `${error.message}; ${unknown}` : error.message;
}

function isOfPort({ code }: LandfallError): boolean {
  return code.startsWith("serial.");
}
