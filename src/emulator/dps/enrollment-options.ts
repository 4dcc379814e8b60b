import type { JsonObject, JsonValue } from "../../json.ts";
import type { InitialTwin } from "../hub/twin.ts";
import type { AllocationFunction } from "./custom-allocation.ts";

/** A symmetric key; base64 of 16 to 64 bytes, generated where it is not given. Both keys are valid at any time. */
export interface SymmetricKeyAttestation {
  readonly method: "symmetric_key";
  readonly primaryKey?: string;
  readonly secondaryKey?: string;
}

/**
 * Certificates, PEM. Of an individual enrollment: the device's own. Of a group: the root or intermediate that the
 * members' certificates lead to.
 */
export interface X509Attestation {
  readonly method: "x509";
  readonly certificate: string;
  readonly secondaryCertificate?: string;
}

/**
 * A TPM 2.0, by the public halves of its keys as the TPM gives them: base64 of a `TPM2B_PUBLIC` with an RSA key of 2048 bits.
 * For individual enrollments, over HTTPS.
 */
export interface TpmAttestation {
  readonly method: "tpm";
  readonly endorsementKey: string;
  /** Stands in for the one that a device does not send. The device's own is never held against it. */
  readonly storageRootKey?: string;
}

/** What a {@link PayloadFunction} is told. */
export interface AllocationRequest {
  readonly registrationId: string;
  readonly deviceId: string;
  /** Name of the hub that was chosen. */
  readonly hub: string;
  /** What the device sent; `undefined` when it sent none. */
  readonly payload: JsonValue | undefined;
}

/** Returns what the device gets back as `payload`; `undefined` for nothing. */
export type PayloadFunction = (request: AllocationRequest) => JsonValue | undefined;

/** What becomes of a device's data when a later registration assigns another hub. */
export type ReprovisioningPolicy =
  /** The twin moves along. */
  | "migrate"
  /** The device starts over with the initial twin. */
  | "reset"
  /** The device stays where it is. */
  | "never";

interface CommonOptions {
  /** Default false. */
  readonly disabled?: boolean;
  /** Names or host names of the hubs that may be assigned. Default: all of the emulator. */
  readonly hubs?: readonly string[];
  /**
   * `hashed` (default) spreads devices by their registration id; `static` takes the first of `hubs`; `lowest-latency` the
   * one that `latenciesMs` has the least for; `custom` asks `customAllocation`.
   */
  readonly allocation?: "hashed" | "static" | "lowest-latency" | "custom";
  /** Milliseconds to each hub, by its name or host name; a hub without is the last choice. For `lowest-latency`. */
  readonly latenciesMs?: Readonly<Record<string, number>>;
  /**
   * For `custom`: a function, or an `http:` URL of this machine that is asked by POST. Until it has decided, polls are
   * answered `assigning`. A failure, or a hub that may not be, ends the registration with 400207.
   */
  readonly customAllocation?: AllocationFunction | string;
  /** Default `migrate`. */
  readonly reprovisioning?: ReprovisioningPolicy;
  /** What the twin begins with. Default: empty. */
  readonly initialTwin?: InitialTwin;
  /** What the device gets back as `payload`: a value, or a function of what it sent. Default: nothing. */
  readonly payload?: JsonObject | PayloadFunction;
  /** Makes every registration end in status `failed` with this error, such as 400207 for a custom allocation that failed. */
  readonly failure?: { readonly errorCode: number; readonly message: string };
}

/** One device. */
export interface IndividualEnrollmentOptions extends CommonOptions {
  readonly registrationId: string;
  /** Default: the registration id. */
  readonly deviceId?: string;
  readonly attestation: SymmetricKeyAttestation | X509Attestation | TpmAttestation;
}

/** Any number of devices that share an authority or a group key. Their device ids are their registration ids. */
export interface GroupEnrollmentOptions extends CommonOptions {
  /** Name of the group. */
  readonly group: string;
  readonly attestation: SymmetricKeyAttestation | X509Attestation;
}

/** Who may register, how he proves himself, and what he gets. */
export type EnrollmentOptions = IndividualEnrollmentOptions | GroupEnrollmentOptions;
