import type { X509Certificate } from "node:crypto";
import { LandfallError } from "../../errors.ts";
import { parseCertificate } from "../hub/add-device.ts";
import type { Random } from "../randomness.ts";
import { assertKey, deriveDeviceKey, generateKey } from "../symmetric-key.ts";
import { assertCallbackUrl } from "./custom-allocation.ts";
import type { EnrollmentOptions } from "./enrollment-options.ts";
import { isRegistrationId } from "./registration-id.ts";
import { parseStorageKey, type StorageKey } from "./tpm/storage-key.ts";

/** The secret or public side of an enrollment, resolved. */
export type Attestation =
  | { readonly method: "symmetric_key"; readonly primaryKey: string; readonly secondaryKey: string }
  | { readonly method: "x509"; readonly certificates: readonly X509Certificate[] }
  | { readonly method: "tpm"; readonly endorsementKey: StorageKey; readonly storageRootKey: StorageKey | undefined };

/** What of an enrollment can be changed while the emulator runs. */
export type EnrollmentChange = Partial<
  Pick<
    EnrollmentOptions,
    | "disabled"
    | "hubs"
    | "allocation"
    | "latenciesMs"
    | "customAllocation"
    | "reprovisioning"
    | "initialTwin"
    | "payload"
    | "failure"
  >
>;

/** One enrollment: for one device, or for a group of them. */
export class Enrollment {
  /** The registration id of an individual enrollment, the name of a group. */
  readonly id: string;
  readonly kind: "individual" | "group";
  readonly attestation: Attestation;
  #options: EnrollmentOptions;

  constructor(options: EnrollmentOptions, random: Random) {
    this.#options = options;
    this.kind = "group" in options ? "group" : "individual";
    this.id = "group" in options ? options.group : options.registrationId;
    if (this.kind === "individual" && !isRegistrationId(this.id)) {
      throw new LandfallError("emulator.rejected", `${JSON.stringify(this.id)} is not a registration id.`);
    }
    if (this.kind === "group" && options.attestation.method === "tpm") {
      throw new LandfallError("emulator.rejected", `${this.id}: expected one enrollment for each TPM, found a group.`);
    }
    checkAllocation(options);
    this.attestation = resolve(options.attestation, random);
  }

  /** The options as they are now. */
  get options(): EnrollmentOptions {
    return this.#options;
  }

  get disabled(): boolean {
    return this.#options.disabled ?? false;
  }

  /**
   * Changes the enrollment; registrations from now on see it. Throws `emulator.rejected` for a custom allocation that
   * cannot be.
   */
  update(change: EnrollmentChange): void {
    const options = { ...this.#options, ...change };
    checkAllocation(options);
    this.#options = options;
  }

  /** Base64. Throws `emulator.rejected` for an enrollment without symmetric keys. */
  get primaryKey(): string {
    return this.#keys().primaryKey;
  }

  /** Base64. Throws `emulator.rejected` for an enrollment without symmetric keys. */
  get secondaryKey(): string {
    return this.#keys().secondaryKey;
  }

  /**
   * The primary key that a device signs with, base64: the enrollment's own, or for a member of a group the one derived
   * from the group key. Throws `emulator.rejected` for an enrollment without symmetric keys.
   */
  deviceKey(registrationId: string = this.id): string {
    return this.kind === "individual" ? this.primaryKey : deriveDeviceKey(this.primaryKey, registrationId);
  }

  /** The device id that a registration leads to: where nothing else is wanted, the registration id as it was enrolled. */
  deviceIdOf(registrationId: string): string {
    if ("group" in this.#options) return registrationId;
    return this.#options.deviceId ?? this.id;
  }

  #keys(): { readonly primaryKey: string; readonly secondaryKey: string } {
    if (this.attestation.method === "symmetric_key") return this.attestation;
    throw new LandfallError("emulator.rejected", `The enrollment ${this.id} has no symmetric keys.`);
  }
}

function checkAllocation({ allocation, customAllocation }: EnrollmentOptions): void {
  if (typeof customAllocation === "string") assertCallbackUrl(customAllocation);
  if (allocation !== "custom" || customAllocation !== undefined) return;
  throw new LandfallError("emulator.rejected", "A custom allocation needs a function or a callback URL.");
}

function resolve(attestation: EnrollmentOptions["attestation"], random: Random): Attestation {
  const { method } = attestation;
  switch (method) {
    case "symmetric_key": {
      const { primaryKey = generateKey(random), secondaryKey = generateKey(random) } = attestation;
      return {
        method,
        primaryKey: assertKey(primaryKey, "primaryKey"),
        secondaryKey: assertKey(secondaryKey, "secondaryKey"),
      };
    }
    case "x509": {
      const { certificate, secondaryCertificate } = attestation;
      const pems = secondaryCertificate === undefined ? [certificate] : [certificate, secondaryCertificate];
      return { method, certificates: pems.map(parseCertificate) };
    }
    case "tpm": {
      const { endorsementKey, storageRootKey } = attestation;
      return {
        method,
        endorsementKey: storageKey(endorsementKey, "endorsementKey"),
        storageRootKey: storageRootKey === undefined ? undefined : storageKey(storageRootKey, "storageRootKey"),
      };
    }
  }
}

function storageKey(text: string, what: string): StorageKey {
  const parsed = parseStorageKey(text);
  if ("name" in parsed) return parsed;
  throw new LandfallError("emulator.rejected", `${what}: expected ${parsed.expected}, found ${parsed.found}.`);
}
