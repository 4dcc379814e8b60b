import type { LandfallError } from "../errors.ts";
import type { JsonValue } from "../json.ts";
import type { FoundRoute } from "./routes.ts";

/** Why the agent asks DPS. */
export type ProvisioningReason =
  /** There is no stored assignment. */
  | "first-time"
  /** `always_reprovision_on_startup` is set. */
  | "startup"
  /** The hub refused the device, or the TPM lost the key for it. */
  | "hub-refused"
  /** The hub could not be reached ten times in a row, or another ten times. */
  | "hub-unreachable"
  /** Somebody asked: a direct method, a signal, or {@link Agent.provision}. */
  | "requested";

/** Where an assignment came from. */
export type AssignmentOrigin = "provisioned" | "stored" | "configured";

/** The hub that an agent works with, and who it is there. */
export interface AgentPlace {
  /** Host name of the hub. */
  readonly hub: string;
  readonly deviceId: string;
  /** What a custom allocation returned for the device; absent when it returned nothing. */
  readonly payload?: JsonValue;
}

/** What happens to an agent. Every event has one argument. */
export interface AgentEvents {
  /** The host that will be dialled, and why this one; told when it is another than before. */
  endpoint: [FoundRoute];
  /** A registration begins. */
  provisioning: [{ readonly reason: ProvisioningReason; readonly registrationId: string }];
  /** There is an assignment to work with; it may be the one from before. */
  assigned: [AgentPlace & { readonly origin: AssignmentOrigin; readonly substatus?: string }];
  /**
   * A registration failed. It is tried again after `retryInMs`; without that, when the hub refuses again or somebody asks.
   */
  "provisioning-failed": [{ readonly error: Error; readonly retryInMs?: number }];
  /** The hub session is up. */
  connected: [{ readonly hub: string; readonly deviceId: string }];
  /** The hub session is down; the agent connects again by itself. */
  disconnected: [{ readonly error: Error }];
  /**
   * The next attempt to connect follows after `delayMs`. A TPM without its key waits for DPS: then the error tells, once
   * it was asked, why it did not send another.
   */
  waiting: [{ readonly delayMs: number; readonly error: Error }];
  /** The session got a fresh token, ahead of the expiry of the one before. */
  renewed: [{ readonly expiresAtMs?: number }];
  /** Likely another client uses this device id; the agent backs off for minutes. */
  displaced: [{ readonly error: LandfallError; readonly delayMs: number }];
  /** The agent has ended: after `close`, or with the error that it cannot mend. */
  closed: [{ readonly error?: unknown }];
}

/** Tells listeners of an event. Never throws. */
export type Tell = <Name extends keyof AgentEvents>(name: Name, about: AgentEvents[Name][0]) => void;
