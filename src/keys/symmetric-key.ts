import { createHmac } from "node:crypto";
import { LandfallError } from "../errors.ts";
import { Secret } from "../secret.ts";
import type { Signer } from "./signer.ts";

/** DPS takes keys of 16 to 64 bytes, and makes keys of 64. */
const [shortestBytes, longestBytes] = [16, 64];

const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** A symmetric key in memory. It signs; nothing prints it. */
export class SymmetricKey implements Signer {
  readonly #bytes: Secret<Uint8Array>;

  private constructor(bytes: Secret<Uint8Array>) {
    this.#bytes = bytes;
  }

  /**
   * Reads the base64 text of a key as DPS and IoT Hub show it; space around it is left aside.
   * Throws `attestation.symmetric-key` when it is something else, or not 16 to 64 bytes long.
   */
  static parse(text: Secret): SymmetricKey {
    const trimmed = text.reveal().trim();
    if (!base64.test(trimmed)) {
      throw new LandfallError(
        "attestation.symmetric-key",
        `Expected the symmetric key as base64 text; found ${describe(trimmed)}.`,
      );
    }
    return SymmetricKey.fromBytes(Buffer.from(trimmed, "base64"));
  }

  /** A key of these bytes. Throws `attestation.symmetric-key` unless there are 16 to 64 of them. */
  static fromBytes(bytes: Uint8Array): SymmetricKey {
    if (bytes.length < shortestBytes || bytes.length > longestBytes) {
      throw new LandfallError(
        "attestation.symmetric-key",
        `Expected a symmetric key of ${shortestBytes} to ${longestBytes} bytes; found ${bytes.length}.`,
      );
    }
    return new SymmetricKey(new Secret(Uint8Array.from(bytes)));
  }

  async sign(bytes: Uint8Array, { signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<Uint8Array> {
    signal?.throwIfAborted();
    return createHmac("sha256", this.#bytes.reveal()).update(bytes).digest();
  }

  /** The key as DPS shows it, for `landfall keys derive`. */
  toBase64(): Secret {
    return new Secret(Buffer.from(this.#bytes.reveal()).toString("base64"));
  }
}

/** What a text that is no key looks like, without showing any of it. */
function describe(text: string): string {
  if (/(^|;)\s*(HostName|DeviceId|SharedAccessKey(Name)?)\s*=/i.test(text)) {
    return "a connection string; only the part after SharedAccessKey= is wanted";
  }
  if (/^SharedAccessSignature\b/i.test(text)) return "a token; the key that signs tokens is wanted";
  if (/^[A-Za-z0-9_-]+=*$/.test(text) && /[_-]/.test(text)) return "base64 in its URL-safe form, with - or _";
  if (/^[A-Za-z0-9+/]+=*$/.test(text)) return "a base64 text that is cut off or wrongly padded";
  return text === "" ? "nothing" : "other characters";
}
