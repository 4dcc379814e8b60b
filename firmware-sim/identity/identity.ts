import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { LandfallError } from "../../src/errors.ts";

/** Who a simulated MCU is. */
export interface McuIdentityOptions {
  /** 1 to 128 bytes. Default `mcu-sim`. */
  readonly registrationId?: string;
  /** Symmetric key, base64. Default: one that the board was made with; `null` for an MCU without. */
  readonly symmetricKey?: string | null;
  /** Longest life of a token, in seconds. Default 86 400. */
  readonly tokenLifeSeconds?: number;
  /** P-256 private key, PEM. Default: none, and nothing is signed but tokens. */
  readonly privateKey?: string;
  /** Certificate chain of that key, PEM, the device's own first. Default: none. */
  readonly certificate?: string;
  /** Signatures in a row, and in a minute, until the MCU is busy. Default 10. */
  readonly signaturesPerMinute?: number;
  /** Path of a Unix socket on which `swtpm` serves a TPM 2.0. Default: none is behind the MCU. */
  readonly tpmSocket?: string;
}

/** The keys of an MCU: they sign, and nobody reads them. */
export interface Identity {
  readonly registrationId: string;
  readonly symmetricKey: Uint8Array | undefined;
  readonly tokenLifeSeconds: number;
  /** P-256. */
  readonly privateKey: KeyObject | undefined;
  /** DER, one behind the other. */
  readonly certificates: Uint8Array;
  readonly signaturesPerMinute: number;
  readonly tpmSocket: string | undefined;
}

/**
 * Reads what a user gave. Throws `simulator.rejected`.
 * @param factoryKey the symmetric key that the board was made with
 */
export function readIdentity(options: McuIdentityOptions, factoryKey: Uint8Array): Identity {
  const { registrationId = "mcu-sim", symmetricKey, tokenLifeSeconds = 86_400, signaturesPerMinute = 10 } = options;
  const idBytes = Buffer.byteLength(registrationId);
  if (idBytes < 1 || idBytes > 128) {
    throw new LandfallError("simulator.rejected", `registrationId: expected 1 to 128 bytes, got ${idBytes}`);
  }
  return {
    registrationId,
    symmetricKey: symmetricKey === null ? undefined : keyFrom(symmetricKey, factoryKey),
    tokenLifeSeconds,
    privateKey: options.privateKey === undefined ? undefined : p256From(options.privateKey),
    certificates: options.certificate === undefined ? new Uint8Array() : derFrom(options.certificate),
    signaturesPerMinute,
    tpmSocket: options.tpmSocket,
  };
}

function keyFrom(text: string | undefined, factoryKey: Uint8Array): Uint8Array {
  if (text === undefined) return factoryKey;
  const key = Buffer.from(text, "base64");
  if (key.length > 0 && key.length <= 64) return key;
  throw new LandfallError("simulator.rejected", `symmetricKey: expected base64 of 1 to 64 bytes, got ${key.length}`);
}

function p256From(pem: string): KeyObject {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch (cause) {
    throw new LandfallError("simulator.rejected", "privateKey: expected a private key in PEM", { cause });
  }
  if (key.asymmetricKeyDetails?.namedCurve === "prime256v1") return key;
  throw new LandfallError("simulator.rejected", `privateKey: expected a P-256 key, got ${key.asymmetricKeyType}`);
}

function derFrom(pem: string): Uint8Array {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  try {
    if (blocks.length > 0) return Buffer.concat(blocks.map((block) => new X509Certificate(block).raw));
  } catch (cause) {
    throw new LandfallError("simulator.rejected", "certificate: expected certificates in PEM", { cause });
  }
  throw new LandfallError("simulator.rejected", "certificate: expected certificates in PEM");
}
