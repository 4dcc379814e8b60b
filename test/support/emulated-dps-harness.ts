import type { Emulator } from "../../src/emulator/index.ts";
import type { JsonObject, JsonValue } from "../../src/json.ts";
import type { SasCredential } from "../../src/keys/credential.ts";
import { Secret } from "../../src/secret.ts";
import type { DpsRequest, DpsResponse, DpsTransport } from "../../src/transport/transport.ts";
import type { DpsHarness } from "../contract/dps-transport.ts";
import { sasToken } from "./foreign-device.ts";
import type { WatchedDialer } from "./watched-dialer.ts";

const registrationId = "sensor-17";
const dpsSteps = ["register", "poll"] as const;

/** A credential that signs with `key`, base64. */
export function keyCredential(key: string): SasCredential {
  return {
    kind: "sas",
    token: async ({ resource, keyName, expiresAtMs }) => {
      const tail = keyName === undefined ? "" : `&skn=${keyName}`;
      return { text: new Secret(sasToken(resource, key, { expiresAtMs, tail })), expiresAtMs };
    },
  };
}

/** What differs from one way to the emulated DPS to another. */
export interface EmulatedDpsWay {
  readonly emulator: Emulator;
  readonly dialer: WatchedDialer;
  readonly transport: DpsTransport;
  readonly port: () => number;
  /** Breaks the connection on which a request has just come. Default: the emulator does. */
  readonly cut?: () => void;
  /** Refuses the next connection. Default: the emulator does. */
  readonly refuseNext?: () => void;
}

/** The emulator's DPS with scripted answers, as the contract suite takes it. */
export function emulatedDpsHarness({ emulator, dialer, transport, port, cut, refuseNext }: EmulatedDpsWay): DpsHarness {
  const { dps, events } = emulator;
  const enrollment = dps.enroll({ registrationId, attestation: { method: "symmetric_key" } });
  const script = (fault: Parameters<typeof dps.faults.next>[2]): void => {
    dps.faults.clear();
    for (const step of dpsSteps) dps.faults.next(registrationId, step, fault);
  };
  const requested = async (count: number): Promise<DpsRequest> => {
    const found = requestsOf(emulator)[count - 1];
    if (found !== undefined) return found;
    for await (const _ of events.watch({ from: "now" })) {
      const request = requestsOf(emulator)[count - 1];
      if (request !== undefined) return request;
    }
    throw new Error("the emulator was closed");
  };
  return {
    transport,
    get route() {
      return { host: emulator.ready.dpsHost, port: port() };
    },
    identity: { idScope: dps.idScope, registrationId, credential: keyCredential(enrollment.deviceKey()) },
    next: (reaction) => {
      if (reaction === "silence") script("silence");
      else if (reaction !== "break") script(scripted(reaction));
      else if (cut === undefined) script("drop");
      else {
        script("silence");
        void requested(requestsOf(emulator).length + 1).then(cut, () => {});
      }
    },
    refuseNext: refuseNext ?? (() => dps.faults.next(registrationId, "connect", { connack: 5 })),
    requested,
    idle: () => dialer.idle(),
    [Symbol.asyncDispose]: () => emulator.close(),
  };
}

/** What DPS was asked, in order. */
function requestsOf({ events }: Emulator): readonly DpsRequest[] {
  return events.all.flatMap((event): DpsRequest[] => {
    if (event.kind === "dps.poll") return [{ kind: "status", operationId: event.operationId }];
    if (event.kind !== "dps.register") return [];
    const body: JsonObject = { registrationId: event.registrationId, ...payloadOf(event.payload) };
    return [{ kind: "register", body }];
  });
}

function payloadOf(payload: JsonValue | undefined): JsonObject {
  return payload === undefined ? {} : { payload };
}

function scripted({ status, retryAfterMs, body }: DpsResponse): {
  readonly status: number;
  readonly retryAfterSeconds?: number;
  readonly body: string;
} {
  return { status, body, ...(retryAfterMs === undefined ? {} : { retryAfterSeconds: retryAfterMs / 1000 }) };
}
