import type { ReceivedTelemetry } from "../../src/emulator/hub/telemetry.ts";
import type { Emulator } from "../../src/emulator/index.ts";
import type { TelemetryMessage } from "../../src/transport/messages.ts";
import type { HubTransport } from "../../src/transport/transport.ts";
import type { HubHarness } from "../contract/hub-transport.ts";
import { keyCredential } from "./emulated-dps-harness.ts";
import type { WatchedDialer } from "./watched-dialer.ts";

const deviceId = "sensor-17";

/** What differs from one way to an emulated hub to another. */
export interface EmulatedHubWay {
  readonly emulator: Emulator;
  readonly dialer: WatchedDialer;
  readonly transport: HubTransport;
  readonly port: () => number;
  /** Refuses the next connection. Default: the emulator does. */
  readonly refuseNext?: () => void;
}

/** The emulator's first hub, as the contract suite takes it. Its device is added before this returns. */
export function emulatedHubHarness({ emulator, dialer, transport, port, refuseNext }: EmulatedHubWay): HubHarness {
  const hub = emulator.hub();
  const { primaryKey = "" } = hub.addDevice({ deviceId });
  return {
    transport,
    get route() {
      return { host: hub.hostName, port: port() };
    },
    identity: { deviceId, credential: keyCredential(primaryKey) },
    telemetry: async (count) => {
      const messages = hub.telemetry();
      for (let seen = 1; seen < count; seen++) await messages.next();
      return asSent((await messages.next()).value as ReceivedTelemetry);
    },
    holdAcknowledgements: () => hub.faults.next(deviceId, "telemetry", "hold", 100),
    acknowledge: () => void hub.faults.release(deviceId, 1),
    deliver: async ({ ack, ...message }) => {
      const gone = emulator.events.next("hub.disconnected", { from: "now" });
      gone.catch(() => {});
      const feedback = ack === undefined ? {} : { ack: ack as "full" };
      const { completed } = hub.sendToDevice(deviceId, { ...message, ...feedback });
      return Promise.race([completed.then(() => true), gone.then(() => false)]);
    },
    invoke: async (name, payload) => {
      const result = await hub.invokeMethod(deviceId, name, payload);
      return result.payload === null ? { status: result.status } : { status: result.status, payload: result.payload };
    },
    setTwin: ({ desired, reported }) => {
      const twin = hub.registry.get(deviceId)?.twin;
      for (const [part, { $version, ...content }] of [["desired", desired] as const, ["reported", reported] as const]) {
        while (twin !== undefined && twin.versionOf(part) < Number($version)) twin.patch(part, content);
      }
    },
    pushDesired: (patch) => void hub.updateDesired(deviceId, patch),
    refuseNext: refuseNext ?? (() => hub.faults.next(deviceId, "connect", { connack: 5 })),
    refuseTwin: (status) => {
      hub.faults.clear();
      for (const step of ["twin-get", "twin-patch"] as const) hub.faults.next(deviceId, step, { status });
    },
    breakConnection: () => dialer.cut(),
    idle: () => dialer.idle(),
    [Symbol.asyncDispose]: () => emulator.close(),
  };
}

/** A message in the form in which a transport takes it. */
function asSent(received: ReceivedTelemetry): TelemetryMessage {
  const { payload, properties, messageId, correlationId, contentType, contentEncoding, component } = received;
  const system = { messageId, correlationId, contentType, contentEncoding, component };
  const present = Object.entries(system).filter(([, value]) => value !== undefined);
  return { payload: new Uint8Array(payload), properties, ...Object.fromEntries(present) };
}
