import { randomUUID } from "node:crypto";
import type { Clock } from "../../clock.ts";
import { type ErrorCode, isLandfallError } from "../../errors.ts";
import { CommandsGroup } from "../../serial/groups/commands-group.ts";
import { IdentityGroup } from "../../serial/groups/identity-group.ts";
import { jsonOf } from "../../serial/json-of.ts";
import type { SmpClient } from "../../serial/smp-client.ts";
import { SmpRefusal } from "../../serial/smp-faults.ts";
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
 * request or its answer is lost.
 *
 * Resolves with the status and the result that the MCU gives, or with `{ error }` and 404 when it knows no such command, 500
 * when it has restarted meanwhile (whether it executed the command, nobody knows), 502 when it refuses or answers
 * something else, 503 when it is busy or its port went away, 504 when it does not answer. Rejects only with `signal.reason`.
 */
export async function callMcu(
  client: SmpClient,
  { name, payload }: Pick<MethodRequest, "name" | "payload">,
  { clock, signal, newId = randomUUID }: McuCallOptions,
): Promise<MethodResponse> {
  try {
    const { boot } = await new IdentityGroup(client).identity({ signal });
    const args = payload === null ? {} : { args: payload };
    const command = { id: newId(), boot, name, ...args };
    const { status, result } = await new CommandsGroup(client, clock).execute(command, { signal });
    return result === undefined ? { status } : { status, payload: jsonOf(result) };
  } catch (error) {
    signal.throwIfAborted();
    if (!isLandfallError(error)) throw error;
    return { status: statusOf(error), payload: { error: messageOf(error) } };
  }
}

const statuses: Partial<Record<ErrorCode, number>> = {
  "smp.timeout": 504,
  "smp.busy": 503,
  "serial.closed": 503,
  "serial.unplugged": 503,
};

function statusOf(error: { readonly code: ErrorCode }): number {
  if (error instanceof SmpRefusal && error.is("noEntry")) return 404;
  if (error instanceof SmpRefusal && error.is("badState")) return 500;
  return statuses[error.code] ?? 502;
}

function messageOf(error: Error): string {
  if (!(error instanceof SmpRefusal)) return error.message;
  if (error.is("noEntry")) return "the MCU knows no such command";
  if (!error.is("badState")) return error.message;
  return "the MCU has restarted meanwhile; whether it executed the command is not known";
}
