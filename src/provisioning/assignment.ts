import type { JsonValue } from "../json.ts";

/** What a registration brings: the hub, and who we are there. */
export interface Assignment {
  /** Host name of the hub. */
  readonly assignedHub: string;
  readonly deviceId: string;
  /** `initialAssignment`, `deviceDataMigrated`, `deviceDataReset` or `reprovisionedToInitialAssignment`. */
  readonly substatus?: string;
  /** What a custom allocation returned for the device. */
  readonly payload?: JsonValue;
  /** TPM only: the activation blob with the hub key, base64. Never logged, never stored. */
  readonly tpmAuthenticationKey?: string;
}
