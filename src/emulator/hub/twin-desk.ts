import type { Clock } from "../../clock.ts";
import type { EventLog } from "../event-log.ts";
import { deliver, deliveryOf } from "../faults/delivery.ts";
import { malformed, scriptedBody } from "../faults/scripted-answer.ts";
import type { DeviceConnection } from "./device-connection.ts";
import type { HubFault, HubFaults } from "./faults.ts";
import type { DeviceTopic } from "./topics.ts";
import { answerReported, answerTwinGet, parsePatch, type TwinAnswer } from "./twin-answers.ts";

/** What a {@link TwinDesk} works with. */
export interface TwinDeskParts {
  /** Name of the hub. */
  readonly name: string;
  readonly clock: Clock;
  readonly events: EventLog;
  readonly faults: HubFaults;
}

/** A topic by which a device reads or patches its twin. */
export type TwinTopic = Extract<DeviceTopic, { kind: "twin-get" | "twin-reported" }>;

/** Where the twin requests of devices end up: a scripted fault comes first, then the twin, and the record. */
export class TwinDesk {
  readonly #parts: TwinDeskParts;

  constructor(parts: TwinDeskParts) {
    this.#parts = parts;
  }

  serve(connection: DeviceConnection, topic: TwinTopic, requestId: string, payload: Buffer): void {
    const { faults, clock } = this.#parts;
    const { link, device } = connection;
    const fault = faults.take(device.deviceId, topic.kind === "twin-get" ? "twin-get" : "twin-patch");
    if (fault === "silence") return;
    if (fault === "drop") {
      link.drop();
      return;
    }
    const { status, version, body } = this.#answer(connection, topic, payload, fault);
    // Who does not listen for answers gets none.
    if (!connection.hears("twin-answers")) return;
    const returned = fault === "wrong-rid" ? `${requestId}-other` : requestId;
    const reached = status === 204 ? `&$version=${version}` : "";
    const sent = fault === "malformed" ? malformed(body) : body;
    deliver(link, clock, deliveryOf(fault), () =>
      link.send(`$iothub/twin/res/${status}/?$rid=${returned}${reached}`, sent),
    );
  }

  #answer(
    { device: { twin, deviceId } }: DeviceConnection,
    topic: TwinTopic,
    payload: Buffer,
    fault: HubFault | undefined,
  ): TwinAnswer {
    const { name: hub, events } = this.#parts;
    const isScripted = typeof fault === "object" && "status" in fault;
    const scripted = isScripted
      ? { status: fault.status, version: twin.versionOf("reported"), body: scriptedBody(fault) }
      : undefined;
    if (topic.kind === "twin-get") {
      if (scripted === undefined) events.add("hub.twin-read", { hub, deviceId });
      return scripted ?? answerTwinGet(twin);
    }
    const patch = parsePatch(payload);
    const answer = scripted ?? answerReported(twin, patch, topic.baseVersion);
    const { status, version } = answer;
    events.add("hub.reported", { hub, deviceId, status, version, patch: patch ?? {} });
    return answer;
  }
}
