import { X509Certificate } from "node:crypto";
import { LandfallError } from "../../errors.ts";
import { thumbprintsOf } from "../certificate-chain.ts";
import type { Random } from "../randomness.ts";
import { assertKey, generateKey } from "../symmetric-key.ts";
import type { DeviceAuthentication } from "./device.ts";
import type { InitialTwin } from "./twin.ts";

/** A device that is added to a hub by hand, without DPS. */
export interface AddDeviceOptions {
  readonly deviceId: string;
  /** Default: symmetric keys, generated. */
  readonly authentication?: AddDeviceAuthentication;
  readonly twin?: InitialTwin;
  /** Default false. */
  readonly disabled?: boolean;
}

/** How such a device proves itself. Certificates are PEM. */
export type AddDeviceAuthentication =
  /** Base64 of 16 to 64 bytes; a key that is not given is generated. */
  | { readonly method: "symmetric_key"; readonly primaryKey?: string; readonly secondaryKey?: string }
  /** The device's own certificate. */
  | { readonly method: "x509"; readonly certificate: string; readonly secondaryCertificate?: string }
  /** An authority; the device's certificate has to lead to it and have the device id as its common name. */
  | { readonly method: "x509_ca"; readonly certificate: string };

/** Resolves keys and certificates. Throws `emulator.rejected` when one cannot be used. */
export function authenticationOf(options: AddDeviceAuthentication, random: Random): DeviceAuthentication {
  switch (options.method) {
    case "symmetric_key": {
      const { primaryKey = generateKey(random), secondaryKey = generateKey(random) } = options;
      return {
        kind: "symmetric_key",
        primaryKey: assertKey(primaryKey, "primaryKey"),
        secondaryKey: assertKey(secondaryKey, "secondaryKey"),
      };
    }
    case "x509": {
      const { certificate, secondaryCertificate = certificate } = options;
      const thumbprints = [certificate, secondaryCertificate].map((pem) => thumbprintsOf(parseCertificate(pem)).sha256);
      return { kind: "x509", thumbprints };
    }
    case "x509_ca":
      return { kind: "x509_ca", authorities: [parseCertificate(options.certificate)] };
  }
}

/** A PEM certificate. Throws `emulator.rejected` when the text is none. */
export function parseCertificate(pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (cause) {
    throw new LandfallError("emulator.rejected", "Expected a PEM certificate, found something else.", { cause });
  }
}
