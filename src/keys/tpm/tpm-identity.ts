import type { TpmKeyTemplate } from "../../config/settings.ts";
import { LandfallError } from "../../errors.ts";
import type { Signer } from "../signer.ts";
import { activate, loadActivated } from "./activate.ts";
import { readActivationBlob } from "./activation-blob.ts";
import { inputBufferProperty, readProperty } from "./capability-commands.ts";
import { readEndorsementCertificate } from "./endorsement-certificate.ts";
import { hmacSha256 } from "./hmac-commands.ts";
import { findIdentityKey, replaceIdentityKey } from "./identity-key.ts";
import { type HierarchyPasswords, passwordOf, type RootKeys, rootKeys } from "./root-keys.ts";
import type { Tpm } from "./tpm.ts";
import type { TpmScope } from "./tpm-scope.ts";

/** Parts of a {@link TpmIdentity}. */
export interface TpmIdentityParts {
  /** Belongs to the identity from then on, which closes it. */
  readonly tpm: Tpm;
  /** By which missing keys are made. Default `tcg`. */
  readonly template?: TpmKeyTemplate | undefined;
  readonly passwords?: HierarchyPasswords | undefined;
  /** Reject with `tpm.root-key-missing` instead of making a missing key. Default false. */
  readonly readOnly?: boolean | undefined;
}

interface Wait {
  readonly signal?: AbortSignal | undefined;
}

/** Every TPM takes this many bytes at one time. */
const leastBufferBytes = 1024;

/**
 * The identity that a TPM gives a device: the keys by which DPS knows it, and the keys that DPS sends it to sign with.
 * All methods reject with `tpm.*`, or with `signal.reason`.
 */
export class TpmIdentity implements AsyncDisposable {
  readonly #tpm: Tpm;
  readonly #template: TpmKeyTemplate;
  readonly #passwords: HierarchyPasswords;
  readonly #readOnly: boolean;
  #bufferBytes = leastBufferBytes;

  constructor({ tpm, template = "tcg", passwords = {}, readOnly = false }: TpmIdentityParts) {
    this.#tpm = tpm;
    this.#template = template;
    this.#passwords = passwords;
    this.#readOnly = readOnly;
  }

  /** Endorsement key and storage root key; made, and made persistent, where they are missing. */
  rootKeys(options?: Wait): Promise<RootKeys> {
    const how = { template: this.#template, passwords: this.#passwords, readOnly: this.#readOnly };
    return this.#tpm.use((scope) => rootKeys(scope, how), options);
  }

  /** The endorsement key's certificate by its vendor, DER, maybe padded; `undefined` when the TPM has none. */
  endorsementCertificate(options?: Wait): Promise<Buffer | undefined> {
    return this.#tpm.use((scope) => readEndorsementCertificate(scope, passwordOf(this.#passwords.owner)), options);
  }

  /**
   * Takes in the key of a challenge, which signs during one registration. It is not made persistent: the key of an
   * earlier assignment stays in use, and no non-volatile memory is worn.
   * Rejects with `tpm.activation-failed` for a blob that is not for this TPM.
   */
  async activateForRegistration(blob: Uint8Array, options?: Wait): Promise<Signer> {
    const parts = readActivationBlob(blob);
    const key = await this.#tpm.use(async (scope) => {
      const wrapped = await activate(scope, parts, this.#passwords);
      // Loading finds a blob that is no good now, and not when it is too late for another.
      await loadActivated(scope, wrapped);
      return wrapped;
    }, options);
    return this.#signer((scope) => loadActivated(scope, key));
  }

  /**
   * Takes in the key of an assignment, makes it persistent in place of an earlier one, and signs with it.
   * Rejects with `tpm.activation-failed` for a blob that is not for this TPM; an earlier key stays in use then.
   */
  async activateForHub(blob: Uint8Array, options?: Wait): Promise<Signer> {
    const parts = readActivationBlob(blob);
    await this.#tpm.use(async (scope) => {
      const loaded = await loadActivated(scope, await activate(scope, parts, this.#passwords));
      await replaceIdentityKey(scope, loaded, passwordOf(this.#passwords.owner));
    }, options);
    return this.hubSigner();
  }

  /** Signs with the persistent key, which is looked for each time; without one it rejects with `tpm.identity-missing`. */
  hubSigner(): Signer {
    return this.#signer(async (scope) => {
      const handle = await findIdentityKey(scope);
      if (handle !== undefined) return handle;
      throw new LandfallError(
        "tpm.identity-missing",
        "The TPM has no key at 0x81000100 to sign with: it was cleared, or this device was never registered with it.",
      );
    });
  }

  /** Rejects what waits with `tpm.closed`. Idempotent. */
  close(): Promise<void> {
    return this.#tpm.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #signer(keyIn: (scope: TpmScope) => Promise<number>): Signer {
    return {
      sign: (bytes, options) =>
        this.#tpm.use(
          async (scope) => hmacSha256(scope, await keyIn(scope), bytes, await this.#bufferFor(scope, bytes)),
          options,
        ),
    };
  }

  async #bufferFor(scope: TpmScope, bytes: Uint8Array): Promise<number> {
    if (bytes.length > this.#bufferBytes) {
      const told = await scope.run(readProperty(inputBufferProperty));
      this.#bufferBytes = Math.max(told ?? 0, leastBufferBytes);
    }
    return this.#bufferBytes;
  }
}
