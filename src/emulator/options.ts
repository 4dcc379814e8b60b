import type { Clock } from "../clock.ts";
import { LandfallError } from "../errors.ts";
import type { Logger } from "../log.ts";
import type { BrokerOptions } from "./broker/broker-attachment.ts";
import type { EnrollmentOptions } from "./dps/enrollment-options.ts";
import type { DpsQuotas } from "./dps/quotas.ts";
import type { ScriptedFault } from "./faults/fault-file.ts";
import { hubHostName } from "./hub/hub-names.ts";
import type { PathGuard } from "./path-guard.ts";

/** What {@link Emulator.start} takes; everything has a default. */
export interface EmulatorOptions {
  /** Address to listen on. Default `127.0.0.1`. */
  readonly host?: string;
  /** TCP port of MQTT over TLS; 0 (default) is any free one. The real services have 8883. */
  readonly mqttPort?: number;
  /** TCP port of HTTPS and of MQTT over WebSocket; 0 (default) is any free one. The real services have 443. */
  readonly webSocketPort?: number;
  /** Default `0ne00ABCDEF`. */
  readonly idScope?: string;
  /**
   * Names of the hubs, in the order in which static allocation sees them; a name with a dot is taken for a whole host name.
   * Default one hub, `hub-a`.
   */
  readonly hubs?: readonly string[];
  /**
   * What DPS hands out as `assignedHub`: the hub's `name`, or `localhost` with the port of MQTT, for clients that cannot
   * be told to dial elsewhere. Default `name`.
   */
  readonly assign?: "name" | "localhost";
  /** Enrollments to begin with; more can be added with `dps.enroll`. */
  readonly enrollments?: readonly EnrollmentOptions[];
  /** Faults to begin with; more can be scripted with `dps.faults` and `hub.faults`. */
  readonly faults?: readonly ScriptedFault[];
  /** Polls that are answered `assigning` before the one that brings the result, 0 to 1000. Default 1. */
  readonly assigningPolls?: number;
  /** Whole seconds that a client is told to wait between polls, up to 300; 0 leaves it unsaid. Default 1. */
  readonly retryAfterSeconds?: number;
  /** Quotas of DPS; `{}` for those of the real service. Default none, so that no test is throttled by chance. */
  readonly quotas?: DpsQuotas;
  /** Deliveries after which a hub gives a cloud-to-device message up, 1 to 100. Default 10. */
  readonly maxDeliveryCount?: number;
  /** Milliseconds that a cloud-to-device message lives which says nothing about it, up to two days. Default one hour. */
  readonly messageTimeToLiveMs?: number;
  /**
   * Directory in which the certificate authority is kept, so that a trust bundle survives a restart. Default: a temporary
   * one, removed by `close`.
   */
  readonly directory?: string;
  /** Host names of further services, which the certificate covers and which answer HTTPS with 401. Default none. */
  readonly furtherHosts?: readonly string[];
  /** A broker to which DPS and hubs are attached as well, for one device at a time. Default none. */
  readonly broker?: BrokerOptions;
  /** Turns clients away for the path that they came by, before their credentials are looked at. Default: nobody. */
  readonly guard?: PathGuard;
  /** Judges tokens and certificates, ends connections, times methods. Default the machine's clock. */
  readonly clock?: Clock;
  /** Uniform numbers in [0, 1) for keys and ids. Default the platform's generator of keys. */
  readonly random?: () => number;
  /** Default silent. */
  readonly log?: Logger;
  /** How many events and how many messages of each hub are kept for reading, 1 to 1 000 000. Default 10 000. */
  readonly recordLimit?: number;
}

/** What the emulator tells when it is ready; one line of JSON for whoever started it. */
export interface EmulatorReady {
  readonly schema: "landfall.emulator/1";
  readonly mqttPort: number;
  readonly wsPort: number;
  /** Path of the PEM file with the certificate authority that clients have to trust. */
  readonly caFile: string;
  readonly idScope: string;
  /** The global endpoint of DPS; any other name below azure-devices-provisioning.net is served as well. */
  readonly dpsHost: string;
  /** Host names of the hubs. */
  readonly hubs: readonly string[];
  /** The broker that DPS and hubs are attached to, without user and password; absent when there is none. */
  readonly broker?: string;
}

const ranges = {
  mqttPort: [0, 65_535],
  webSocketPort: [0, 65_535],
  assigningPolls: [0, 1000],
  retryAfterSeconds: [0, 300],
  recordLimit: [1, 1_000_000],
  maxDeliveryCount: [1, 100],
  messageTimeToLiveMs: [1, 172_800_000],
} as const satisfies Partial<Record<keyof EmulatorOptions, readonly [number, number]>>;

/**
 * Throws `emulator.rejected`, naming every number that is out of its range and every fault for a service that there is not.
 * @param hubs names of the hubs
 */
export function checkOptions(options: EmulatorOptions, hubs: readonly string[]): void {
  const details = [...numbersOutOfRange(options), ...faultsOfNobody(options, hubs)];
  if (details.length === 0) return;
  throw new LandfallError("emulator.rejected", `The emulator's options are not valid: ${details.join("; ")}.`, {
    details,
  });
}

function faultsOfNobody({ faults = [] }: EmulatorOptions, hubs: readonly string[]): readonly string[] {
  const services = ["dps", ...hubs, ...hubs.map(hubHostName)];
  return faults.flatMap(({ service }, index) =>
    services.includes(service)
      ? []
      : `faults[${index}].service: expected dps or one of the hubs ${hubs.join(", ")}; found ${service}`,
  );
}

function numbersOutOfRange(options: EmulatorOptions): readonly string[] {
  const details: string[] = [];
  for (const [name, [least, most]] of Object.entries(ranges)) {
    const value = options[name as keyof typeof ranges];
    if (value === undefined || (Number.isInteger(value) && value >= least && value <= most)) continue;
    details.push(`${name}: expected an integer from ${least} to ${most}; found ${value}`);
  }
  return details;
}
