import type { CreatedAttestation } from "../attestation/create-attestation.ts";
import type { Clock } from "../clock.ts";
import type { Settings } from "../config/settings.ts";
import type { Dialer } from "../endpoint/dialer.ts";
import type { EndpointSettings } from "../endpoint/endpoint-settings.ts";
import type { ExplainedDecision } from "../endpoint/explain.ts";
import type { HostsEntry } from "../endpoint/hosts-file.ts";
import type { NetworkMemory } from "../endpoint/network-memory.ts";
import type { StoredAssignment } from "../provisioning/assignment-store.ts";
import type { RegistrationLookUp } from "../provisioning/look-up.ts";
import type { HubTransport } from "../transport/transport.ts";
import type { CertificateParts } from "./certificate-parts.ts";
import type { ServiceName } from "./service.ts";

/** A service, what was observed about it, and where it would be dialled. */
export interface Subject extends ExplainedDecision {
  /** The name that the settings or the assignment lead to; absent when they lead to none. */
  readonly host: string | undefined;
}

/** Opens TCP to one address, or to where a `connect_to` rule carries it, and hangs up. Rejects as `openTcp` does. */
export type Reach = (
  target: { readonly host: string; readonly address: string; readonly port: number },
  options: { readonly signal: AbortSignal },
) => Promise<void>;

/** The hub that this device belongs to, and who says so. */
export interface KnownHub {
  readonly host: string;
  readonly deviceId: string;
  readonly origin: "configuration" | "stored assignment" | "DPS";
}

/**
 * Everything that checks look at and look through. Nothing in it writes, registers or subscribes. What several checks need is
 * found out once, when it is first asked for.
 */
export interface DoctorContext {
  readonly clock: Clock;
  /** The configuration file. */
  readonly file: string;
  /** What was said about the configuration although it is valid. */
  readonly warnings: readonly string[];
  readonly settings: Settings;
  readonly endpoint: EndpointSettings;
  /** The hosts file that is in force. */
  readonly hosts: readonly HostsEntry[];
  readonly memory: NetworkMemory;
  readonly dialer: Dialer;
  readonly hubTransport: HubTransport;
  /** Whether the doctor may connect to the hub, which would displace an agent that is connected. */
  readonly mayConnectToHub: boolean;
  readonly reach: Reach;
  /** The service as seen from here; undefined when this configuration has none, or its name is not known. */
  subject(service: ServiceName): Promise<Subject | undefined>;
  /** Certificates and key as far as they can be had; undefined for a device with a symmetric key. Never rejects. */
  certificate(): Promise<CertificateParts | undefined>;
  /** The credential, opened. Rejects with `key.*`, `certificate.*`, `attestation.*` or `config.*`. */
  attestation(): Promise<CreatedAttestation>;
  /** What is stored of an earlier registration. Rejects as {@link attestation} does. */
  assignment(): Promise<StoredAssignment>;
  /** Asks DPS about this device's registration, and registers nothing. Rejects with `endpoint.*`, `transport.*` or `key.*`. */
  lookUp(): Promise<RegistrationLookUp>;
  /** From the configuration, else stored, else what {@link lookUp} brought if somebody asked for it. */
  hub(): Promise<KnownHub | undefined>;
}
