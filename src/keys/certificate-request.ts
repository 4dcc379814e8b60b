import { type KeyObject, verify } from "node:crypto";
import { LandfallError } from "../errors.ts";
import { der, derBitString, derInteger, derObjectIdentifier, derSequence, derTag } from "./der.ts";

/** Somebody who signs a certificate request: a key in memory, or whatever speaks for one in hardware. */
export interface RequestSigner extends AsyncDisposable {
  readonly publicKey: KeyObject;
  /**
   * Signs bytes with SHA-256: ECDSA in DER, or RSA as in PKCS#1 v1.5.
   * Rejects with `key.*` or `tpm.*`, and with `signal.reason`.
   */
  sign(bytes: Uint8Array, options?: { readonly signal?: AbortSignal | undefined }): Promise<Uint8Array>;
}

const commonNameType = derObjectIdentifier(2, 5, 4, 3);
const ecdsaWithSha256 = derSequence(derObjectIdentifier(1, 2, 840, 10045, 4, 3, 2));
const rsaWithSha256 = derSequence(derObjectIdentifier(1, 2, 840, 113549, 1, 1, 11), der(derTag.null));
const noAttributes = der(0xa0);

/**
 * A PKCS#10 request (RFC 2986), PEM, for a certificate with this common name, signed as a proof that its sender has the key.
 * What else the certificate is to say is for its issuer to decide.
 *
 * Rejects like {@link RequestSigner.sign}, and with `certificate.key-mismatch` when the signature is not by the public key:
 * hardware that has that from a certificate may hold another certificate's key.
 */
export async function certificateRequest(
  commonName: string,
  signer: RequestSigner,
  options: { readonly signal?: AbortSignal | undefined } = {},
): Promise<string> {
  const { publicKey } = signer;
  const name = derSequence(commonNameType, der(derTag.utf8String, Buffer.from(commonName)));
  const information = derSequence(
    derInteger(0),
    derSequence(der(derTag.set, name)),
    publicKey.export({ type: "spki", format: "der" }),
    noAttributes,
  );
  const algorithm = publicKey.asymmetricKeyType === "rsa" ? rsaWithSha256 : ecdsaWithSha256;
  const signature = await signer.sign(information, options);
  if (!verify("sha256", information, publicKey, signature)) {
    throw new LandfallError(
      "certificate.key-mismatch",
      "The request was signed with another private key than the one that its public key belongs to.",
    );
  }
  const bytes = derSequence(information, algorithm, derBitString(signature));
  const lines = bytes.toString("base64").match(/.{1,64}/g) ?? [];
  return ["-----BEGIN CERTIFICATE REQUEST-----", ...lines, "-----END CERTIFICATE REQUEST-----", ""].join("\n");
}
