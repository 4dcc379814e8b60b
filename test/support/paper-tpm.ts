import {
  constants,
  createDecipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  type KeyObject,
  privateDecrypt,
} from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** One key of a {@link PaperTpm}: base64 of its `TPM2B_PUBLIC`, its name, and its private half as PKCS #8. */
export interface PaperKey {
  readonly public: string;
  readonly name: string;
  readonly privateKey: string;
}

/** What `test/vectors/tpm-activation.json` holds; byte strings are hexadecimal unless they are said to be base64. */
export interface ActivationVectors {
  readonly endorsementKey: PaperKey;
  readonly storageRootKey: PaperKey;
  readonly registrationId: string;
  readonly keyDerivation: readonly {
    readonly seed: string;
    readonly label: string;
    readonly context: string;
    readonly bits: number;
    readonly key: string;
  }[];
  readonly blobs: readonly {
    readonly name: string;
    readonly key: string;
    readonly note: string;
    readonly nonces: Readonly<Record<"innerKey" | "obfuscation" | "duplicateSeed" | "credentialSeed", string>>;
    /** Base64. */
    readonly blob: string;
    readonly parts: Readonly<Record<string, string>>;
    /** Of a text, with the key; base64. */
    readonly signed: { readonly text: string; readonly signature: string };
  }[];
}

const vectorFile = fileURLToPath(new URL("../vectors/tpm-activation.json", import.meta.url));

export const activationVectors = JSON.parse(readFileSync(vectorFile, "utf8")) as ActivationVectors;

/** What a blob holds, opened. */
export interface OpenedBlob {
  readonly credentialSeed: Buffer;
  readonly duplicateSeed: Buffer;
  readonly innerKey: Buffer;
  readonly obfuscation: Buffer;
  readonly key: Buffer;
  readonly note: string;
}

/**
 * What a TPM does with an activation blob, on paper: opens it with two RSA keys that are known. Throws where a TPM would
 * refuse. It shares no code with those who make blobs.
 */
export class PaperTpm {
  readonly endorsementKey: string;
  readonly storageRootKey: string;
  readonly #endorsement: KeyObject;
  readonly #storageRoot: KeyObject;
  readonly #storageRootName: Buffer;
  #key: Buffer | undefined;

  constructor({
    endorsementKey,
    storageRootKey,
  }: Pick<ActivationVectors, "endorsementKey" | "storageRootKey"> = activationVectors) {
    this.endorsementKey = endorsementKey.public;
    this.storageRootKey = storageRootKey.public;
    [this.#endorsement, this.#storageRoot] = [endorsementKey, storageRootKey].map(privateHalf) as [
      KeyObject,
      KeyObject,
    ];
    this.#storageRootName = Buffer.from(storageRootKey.name, "hex");
  }

  /** What a registration says of this TPM. */
  get evidence(): { readonly endorsementKey: string; readonly storageRootKey: string } {
    const { endorsementKey, storageRootKey } = this;
    return { endorsementKey, storageRootKey };
  }

  /** Takes the key of a blob in. */
  activate(blob: Uint8Array): void {
    this.#key = this.open(blob).key;
  }

  /** HMAC-SHA256 with the key that was taken in last. */
  sign(text: string): Buffer {
    if (this.#key === undefined) throw new Error("the TPM has no key to sign with");
    return createHmac("sha256", this.#key).update(text).digest();
  }

  open(blob: Uint8Array): OpenedBlob {
    const [credential, credentialSecret, duplicate, duplicateSecret, publicArea, data] = split(Buffer.from(blob), 6);
    const credentialSeed = decryptSeed(this.#endorsement, "IDENTITY", credentialSecret);
    const [innerKey] = split(unseal(credential, credentialSeed, this.#storageRootName), 1);
    const name = nameOf(publicArea);
    const duplicateSeed = decryptSeed(this.#storageRoot, "DUPLICATE", duplicateSecret);
    const inner = decrypt(innerKey, unseal(duplicate, duplicateSeed, name));
    const [digest, sensitive] = split(inner, 2);
    const sized = inner.subarray(2 + digest.length);
    requireEqual(digest, createHash("sha256").update(sized).update(name).digest(), "the inner integrity");
    const [password, obfuscation, key] = split(sensitive.subarray(2), 3);
    requireEqual(password, Buffer.alloc(0), "the password");
    const unique = createHash("sha256").update(obfuscation).update(key).digest();
    requireEqual(publicArea.subarray(-32), unique, "the unique part");
    return { credentialSeed, duplicateSeed, innerKey, obfuscation, key, note: decrypt(innerKey, data).toString() };
  }
}

function privateHalf({ privateKey }: PaperKey): KeyObject {
  return createPrivateKey({ key: Buffer.from(privateKey, "base64"), format: "der", type: "pkcs8" });
}

type UpToSix = readonly [Buffer, Buffer, Buffer, Buffer, Buffer, Buffer];

/** Exactly `count` byte strings, each with its size in front. */
function split(bytes: Buffer, count: number): UpToSix {
  const parts: Buffer[] = [];
  let at = 0;
  while (at < bytes.length) {
    const size = bytes.readUInt16BE(at);
    if (at + 2 + size > bytes.length) throw new Error(`a size of ${size} reaches beyond the end`);
    parts.push(bytes.subarray(at + 2, at + 2 + size));
    at += 2 + size;
  }
  if (parts.length !== count) throw new Error(`expected ${count} byte strings, found ${parts.length}`);
  return parts as readonly Buffer[] as UpToSix;
}

function unseal(sealed: Buffer, seed: Buffer, name: Buffer): Buffer {
  const size = sealed.readUInt16BE();
  const [integrity, encrypted] = [sealed.subarray(2, 2 + size), sealed.subarray(2 + size)];
  const expected = createHmac("sha256", counterMode(seed, "INTEGRITY", Buffer.alloc(0), 256)).update(encrypted);
  requireEqual(integrity, expected.update(name).digest(), "the outer integrity");
  return decrypt(counterMode(seed, "STORAGE", name, 128), encrypted);
}

/** One round of SP 800-108, which is enough for keys of up to 256 bits. */
function counterMode(seed: Buffer, label: string, context: Buffer, bits: number): Buffer {
  const tail = Buffer.from([0, 0, bits >> 8, bits & 0xff]);
  const input = Buffer.concat([Buffer.from([0, 0, 0, 1]), Buffer.from(`${label}\0`), context, tail]);
  return createHmac("sha256", seed)
    .update(input)
    .digest()
    .subarray(0, bits / 8);
}

function decryptSeed(key: KeyObject, label: string, secret: Buffer): Buffer {
  const padding = constants.RSA_PKCS1_OAEP_PADDING;
  return privateDecrypt({ key, padding, oaepHash: "sha256", oaepLabel: Buffer.from(`${label}\0`) }, secret);
}

function decrypt(key: Buffer, bytes: Buffer): Buffer {
  const decipher = createDecipheriv("aes-128-cfb", key, Buffer.alloc(16));
  return Buffer.concat([decipher.update(bytes), decipher.final()]);
}

function nameOf(publicArea: Buffer): Buffer {
  return Buffer.concat([Buffer.from("000b", "hex"), createHash("sha256").update(publicArea).digest()]);
}

function requireEqual(found: Buffer, expected: Buffer, what: string): void {
  if (!found.equals(expected)) throw new Error(`${what} is wrong`);
}
