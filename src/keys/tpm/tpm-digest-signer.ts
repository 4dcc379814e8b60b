import type { KeyObject } from "node:crypto";
import { LandfallError } from "../../errors.ts";
import type { Secret } from "../../secret.ts";
import { der, derSequence, derTag } from "../der.ts";
import type { DigestSigner } from "../digest-signer.ts";
import { load, readPublic } from "./key-commands.ts";
import type { TpmKeyFile } from "./key-file.ts";
import { TpmResponseError } from "./response-error.ts";
import { type EcSignature, sign } from "./signing-commands.ts";
import { signingPublicKey } from "./signing-key-area.ts";
import type { Tpm } from "./tpm.ts";
import { TpmReader } from "./tpm-reader.ts";
import type { TpmScope } from "./tpm-scope.ts";

/** Which key of a TPM signs: one that stays in it, or one that is loaded for each signature. */
export type TpmKeyPlace =
  | { readonly kind: "persistent"; readonly handle: number }
  | { readonly kind: "file"; readonly key: TpmKeyFile; readonly path: string };

/** Signs with a P-256 key in a TPM. The TPM belongs to it, and is closed with it. */
export class TpmDigestSigner implements DigestSigner {
  readonly publicKey: KeyObject;
  readonly #tpm: Tpm;
  readonly #place: TpmKeyPlace;
  readonly #password: Secret<Uint8Array> | undefined;

  private constructor(tpm: Tpm, place: TpmKeyPlace, publicKey: KeyObject, password: Secret<Uint8Array> | undefined) {
    this.#tpm = tpm;
    this.#place = place;
    this.publicKey = publicKey;
    this.#password = password;
  }

  /**
   * Reads the key's public half. Rejects with `key.not-in-tpm` when there is none at the handle, and with `tpm.*`:
   * `tpm.unsuitable-key` for a key that is not on P-256 or does not sign. The TPM stays open then.
   */
  static async open(tpm: Tpm, place: TpmKeyPlace, password?: Secret<Uint8Array>): Promise<TpmDigestSigner> {
    const area =
      place.kind === "file"
        ? place.key.publicArea
        : await tpm.use(async (scope) =>
            new TpmReader(await found(place, scope.run(readPublic(place.handle))), "a public area").sized(),
          );
    return new TpmDigestSigner(tpm, place, signingPublicKey(area, titleOf(place)), password);
  }

  /** Rejects with `key.not-in-tpm` when this TPM cannot take the key in from its file, and with `tpm.*`. */
  async sign(digest: Uint8Array, options: { readonly signal?: AbortSignal | undefined } = {}): Promise<Uint8Array> {
    if (digest.length !== 32) {
      throw new LandfallError("key.unusable", `Expected a digest of 32 bytes; found ${digest.length}.`);
    }
    const authorization = { kind: "password", password: this.#password } as const;
    const signature = await this.#tpm.use(
      async (scope) => scope.run(sign(await handleOf(scope, this.#place), authorization, digest)),
      options,
    );
    return encode(signature);
  }

  async close(): Promise<void> {
    await this.#tpm.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** The key's handle; one that is loaded here is flushed with the scope. */
async function handleOf(scope: TpmScope, place: TpmKeyPlace): Promise<number> {
  return place.kind === "persistent" ? place.handle : found(place, scope.run(load(place.key.parent, place.key)));
}

/** A key that is not there, or is another TPM's, does not come to be there by waiting; a TPM in a bad moment gets over it. */
async function found<T>(place: TpmKeyPlace, step: Promise<T>): Promise<T> {
  try {
    return await step;
  } catch (cause) {
    if (!(cause instanceof TpmResponseError) || cause.code !== "tpm.refused" || !cause.isAboutCommand) throw cause;
    throw new LandfallError("key.not-in-tpm", `This TPM does not have ${titleOf(place)}: ${cause.message}`, { cause });
  }
}

function titleOf(place: TpmKeyPlace): string {
  return place.kind === "persistent" ? `the key at 0x${place.handle.toString(16)}` : `the key in ${place.path}`;
}

function encode({ r, s }: EcSignature): Buffer {
  return derSequence(derUnsigned(r), derUnsigned(s));
}

function derUnsigned(bytes: Buffer): Buffer {
  const start = bytes.findIndex((byte) => byte !== 0);
  const significant = start < 0 ? Buffer.of(0) : bytes.subarray(start);
  const sign = (significant[0] ?? 0) >= 0x80 ? [Buffer.of(0)] : [];
  return der(derTag.integer, ...sign, significant);
}
