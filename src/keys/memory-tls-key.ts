import { createPublicKey, type KeyObject } from "node:crypto";
import { createSecureContext, type SecureContext, type SecureContextOptions } from "node:tls";
import { LandfallError } from "../errors.ts";
import { Secret } from "../secret.ts";
import { checkKeyKind } from "./key-kind.ts";
import type { TlsKey } from "./tls-key.ts";

/** A private key that was read from a file and is now in this process's memory. */
export class MemoryTlsKey implements TlsKey {
  readonly location: string;
  readonly publicKey: KeyObject;
  #pem: Secret | undefined;

  /**
   * Throws `key.unusable` when the key is of a kind that is not supported.
   * @param location the file it came from
   */
  constructor(privateKey: KeyObject, location: string) {
    checkKeyKind(privateKey, location);
    this.location = location;
    this.publicKey = createPublicKey(privateKey);
    this.#pem = new Secret(privateKey.export({ type: "pkcs8", format: "pem" }).toString());
  }

  async secureContext(base: SecureContextOptions): Promise<SecureContext> {
    return createSecureContext({ ...base, key: this.exportKey().reveal() });
  }

  exportKey(): Secret {
    if (!this.#pem) throw new LandfallError("key.unusable", `The private key ${this.location} has been closed.`);
    return this.#pem;
  }

  async close(): Promise<void> {
    this.#pem = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
