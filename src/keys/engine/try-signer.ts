import { createHash, randomBytes, verify } from "node:crypto";
import { LandfallError } from "../../errors.ts";
import type { DigestSigner } from "../digest-signer.ts";

/**
 * Has a signer sign once. Rejects with what it rejects with, and with `certificate.key-mismatch` when the signature is not
 * by the public key that the signer shows: hardware that has that from a certificate may hold another certificate's key.
 */
export async function trySigner(signer: DigestSigner): Promise<void> {
  const text = randomBytes(32);
  const signature = await signer.sign(createHash("sha256").update(text).digest());
  if (verify("sha256", text, signer.publicKey, signature)) return;
  throw new LandfallError(
    "certificate.key-mismatch",
    "The hardware signed with another private key than the one that its public key belongs to.",
  );
}
