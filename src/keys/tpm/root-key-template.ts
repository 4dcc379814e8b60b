import type { TpmKeyTemplate } from "../../config/settings.ts";
import { algorithm, objectAttribute } from "./constants.ts";
import { empty, sized, uint16, uint32 } from "./structure.ts";

const { userWithAuth, adminWithPolicy, noDictionaryAttack } = objectAttribute;

/** What both keys have: they cannot leave the TPM that made them, and decrypt nothing but what protects other keys. */
const isParent =
  objectAttribute.fixedTpm |
  objectAttribute.fixedParent |
  objectAttribute.sensitiveDataOrigin |
  objectAttribute.restricted |
  objectAttribute.decrypt;

const modulusBytes = 256;

/** The policy of endorsement keys (TCG EK Credential Profile): PolicySecret of the endorsement hierarchy. */
export const endorsementPolicy = Buffer.from("837197674484b3f81a90cc8d46a5d724fd52d76e06520b64f2a1da1b331469aa", "hex");

/** What the two templates differ in: the initial value of `unique`. */
const unique: Readonly<Record<TpmKeyTemplate, Buffer>> = { tcg: sized(Buffer.alloc(modulusBytes)), azure: empty };

/** The public area (TPMT_PUBLIC) to create an endorsement key by: RSA 2048 for decryption, used under its policy. */
export function endorsementKeyTemplate(template: TpmKeyTemplate): Buffer {
  return rsaParent(isParent | adminWithPolicy, endorsementPolicy, template);
}

/** The public area to create a storage root key by: RSA 2048 for decryption, without password. */
export function storageRootKeyTemplate(template: TpmKeyTemplate): Buffer {
  return rsaParent(isParent | userWithAuth | noDictionaryAttack, Buffer.alloc(0), template);
}

function rsaParent(attributes: number, policy: Uint8Array, template: TpmKeyTemplate): Buffer {
  return Buffer.concat([
    ...[uint16(algorithm.rsa), uint16(algorithm.sha256), uint32(attributes), sized(policy)],
    // What the key protects its children with.
    ...[uint16(algorithm.aes), uint16(128), uint16(algorithm.cfb)],
    uint16(algorithm.null), // no scheme: it only decrypts
    uint16(modulusBytes * 8),
    uint32(0), // the exponent 65537
    unique[template],
  ]);
}
