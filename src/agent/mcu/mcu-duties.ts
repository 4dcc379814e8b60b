import type { McuSettings } from "../../config/settings.ts";
import type { MethodHandler, MethodOptions } from "../../hub/direct-methods.ts";
import type { JsonValue } from "../../json.ts";
import type { CallOptions } from "../../transport/transport.ts";
import type { Agent } from "../agent.ts";
import type { MessageOptions } from "../message.ts";
import type { ChangeRelay } from "./change-relay.ts";
import { followSettings } from "./follow-settings.ts";
import { forwardTelemetry } from "./forward-telemetry.ts";
import type { McuDuty, McuEvent } from "./mcu-duty.ts";
import { serveMethods } from "./serve-methods.ts";
import { serveUpdates } from "./serve-updates.ts";
import { watchMcu } from "./watch-mcu.ts";

/** What {@link startMcuDuties} works with. */
export interface McuDutiesParts extends McuDuty {
  readonly settings: McuSettings;
  /** The changes of the desired properties, of which the MCU's part is applied when it can be. */
  readonly relay: ChangeRelay;
  readonly random: () => number;
  readonly tell: (event: McuDutyEvent) => void;
}

/** What is told of the duties towards the MCU. */
export type McuDutyEvent =
  | McuEvent
  | { readonly event: "telemetry-acknowledged"; readonly kind: "mcu" }
  | { readonly event: "method-answered"; readonly name: string; readonly status: number };

/**
 * What an agent does with its MCU: passes its messages on to the hub, has it answer the direct methods that it has commands
 * for, has it follow its part of the desired properties, says in the twin who and how it is, and updates its firmware
 * when the method `updateMcu` asks for it. Ends when the signal aborts.
 * Rejects with `hub.method-exists`.
 */
export async function startMcuDuties(agent: Agent, parts: McuDutiesParts): Promise<void> {
  const { settings, relay, tell } = parts;
  const mcu = {
    send: async (body: JsonValue | Uint8Array, options?: MessageOptions & CallOptions): Promise<void> => {
      await agent.send(body, options);
      tell({ event: "telemetry-acknowledged", kind: "mcu" });
    },
    onMethod: (name: string, handler: MethodHandler, options?: MethodOptions): Disposable =>
      agent.onMethod(name, told(name, handler, tell), options),
    desiredChanges: (options: CallOptions) => relay.changes(options, (waiting) => parts.link.connected(waiting)),
    report: agent.report.bind(agent),
  };
  const directory = settings.firmwareDirectory;
  await Promise.all([
    watchMcu(mcu, parts),
    forwardTelemetry(mcu, parts),
    serveMethods(mcu, parts),
    followSettings(mcu, parts),
    ...(directory === undefined ? [] : [serveUpdates(mcu, { ...parts, directory })]),
  ]);
}

/** The same handler; what it answered is told. */
function told(name: string, handler: MethodHandler, tell: McuDutiesParts["tell"]): MethodHandler {
  return async (...call) => {
    const response = await handler(...call);
    tell({ event: "method-answered", name, status: response.status });
    return response;
  };
}
