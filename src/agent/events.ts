import type { LandfallError } from "../errors.ts";
import type { FoundRoute } from "./routes.ts";

/** Why the agent asks DPS. */
export type ProvisioningReason =
  /** There is no stored assignment. */
  | "first-time"
  /** `always_reprovision_on_startup` is set. */
  | "startup"
  /** The hub refused the device, or could not be reached ten times in a row. */
  | "hub-refused"
  /** Somebody asked: a direct method, a signal, or {@link Agent.provision}. */
  | "requested";

/** Where an assignment came from. */
export type AssignmentOrigin = "provisioned" | "stored" | "configured";

/** What happens to an agent. Every event has one argument. */
export interface AgentEvents {
  /** The host that will be dialled next, and why this one. */
  endpoint: [FoundRoute];
  /** A registration begins. */
  provisioning: [{ reason: ProvisioningReason; registrationId: string }];
  /** There is an assignment to work with. */
  assigned: [{ hub: string; deviceId: string; origin: AssignmentOrigin; substatus?: string }];
  /** A registration failed; it is tried again after `retryInMs`, or not at all when that is absent. */
  "provisioning-failed": [{ error: Error; retryInMs?: number }];
  /** The hub session is up. */
  connected: [{ hub: string; deviceId: string }];
  /** The hub session is down; the agent connects again by itself. */
  disconnected: [{ error?: Error }];
  /** The next attempt to connect follows after `delayMs`. */
  waiting: [{ delayMs: number; error?: Error }];
  /** The session got a fresh token. */
  renewed: [{ expiresAtMs?: number }];
  /** Likely another client uses this device id; the agent backs off. */
  displaced: [{ error: LandfallError; delayMs: number }];
  /** The agent has ended: after `close`, or with the error that it cannot mend. */
  closed: [{ error?: unknown }];
}
