import { LandfallError } from "../../errors.ts";
import { der, derInteger, derObjectIdentifier, derSequence, derTag, readDer } from "../der.ts";
import type { WrappedKey } from "./key-commands.ts";
import { sized } from "./structure.ts";
import { TpmReader } from "./tpm-reader.ts";

/** A key that a TPM has wrapped, as it lies in a file: worth nothing without the TPM that made it. */
export interface TpmKeyFile extends WrappedKey {
  /** The handle of the key that can load it. */
  readonly parent: number;
  /** Whether the key has no password, as far as the file says. */
  readonly emptyPassword: boolean;
}

const block = /-----BEGIN TSS2 PRIVATE KEY-----([\s\S]*?)-----END TSS2 PRIVATE KEY-----/;

/** The loadable key of the format that the TPM tools of Linux share: 2.23.133.10.1.3. */
const loadableKey = derObjectIdentifier(2, 23, 133, 10, 1, 3);
const emptyPasswordTag = 0xa0;

/** Whether a PEM text holds a key of this kind. */
export function isTpmKeyFile(pem: string): boolean {
  return block.test(pem);
}

/** The PEM text of a key. */
export function formatTpmKeyFile({ parent, emptyPassword, publicArea, privatePart }: TpmKeyFile): string {
  const bytes = derSequence(
    loadableKey,
    der(emptyPasswordTag, der(derTag.boolean, Buffer.of(emptyPassword ? 0xff : 0))),
    derInteger(parent),
    der(derTag.octetString, sized(publicArea)),
    der(derTag.octetString, sized(privatePart)),
  );
  const lines = bytes.toString("base64").match(/.{1,64}/g) ?? [];
  return ["-----BEGIN TSS2 PRIVATE KEY-----", ...lines, "-----END TSS2 PRIVATE KEY-----", ""].join("\n");
}

/**
 * Reads a key. Throws `key.unusable` for anything but a loadable key without policies.
 * @param location where the text came from, for the message
 */
export function parseTpmKeyFile(pem: string, location: string): TpmKeyFile {
  try {
    return parse(Buffer.from(block.exec(pem)?.[1] ?? "", "base64"));
  } catch (cause) {
    const message = `Expected a TSS2 PRIVATE KEY in ${location}: a loadable key without policies; found something else.`;
    throw new LandfallError("key.unusable", message, { cause });
  }
}

function parse(bytes: Buffer): TpmKeyFile {
  const [outer, ...others] = readDer(bytes);
  if (outer?.tag !== derTag.sequence || others.length > 0) throw new RangeError("not one sequence");
  const [type, ...rest] = readDer(outer.content);
  if (type?.tag !== derTag.objectIdentifier || !der(type.tag, type.content).equals(loadableKey)) {
    throw new RangeError("another type of key");
  }
  const optional = rest.filter(({ tag }) => tag >= 0xa0);
  const [parent, publicArea, privatePart, ...more] = rest.filter(({ tag }) => tag < 0xa0);
  if (parent?.tag !== derTag.integer || parent.content.length > 5) throw new RangeError("no parent");
  if (publicArea?.tag !== derTag.octetString || privatePart?.tag !== derTag.octetString || more.length > 0) {
    throw new RangeError("not one public and one private part");
  }
  if (optional.some(({ tag }) => tag !== emptyPasswordTag)) throw new RangeError("a policy or a secret");
  return {
    parent: parent.content.readUIntBE(0, parent.content.length),
    emptyPassword: optional.every(({ content }) => readBoolean(content)),
    publicArea: unwrap(publicArea.content),
    privatePart: unwrap(privatePart.content),
  };
}

function readBoolean(bytes: Buffer): boolean {
  if (der(derTag.boolean, Buffer.of(0xff)).equals(bytes)) return true;
  if (der(derTag.boolean, Buffer.of(0)).equals(bytes)) return false;
  throw new RangeError("not one boolean");
}

function unwrap(bytes: Buffer): Buffer {
  const reader = new TpmReader(bytes, "a key file");
  const content = reader.sized();
  reader.end();
  return content;
}
