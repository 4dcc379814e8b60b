import { SymmetricKey } from "../keys/symmetric-key.ts";

/**
 * The key of one device in an enrollment group: HMAC-SHA256 of its registration id with the group's key. DPS computes
 * the same from its copy of the group key.
 *
 * The id goes in with small letters. DPS does not tell capital letters from small ones in ids, an HMAC does, and the
 * service's guide has device keys derived from lower-case ids.
 */
export async function deriveDeviceKey(groupKey: SymmetricKey, registrationId: string): Promise<SymmetricKey> {
  return SymmetricKey.fromBytes(await groupKey.sign(Buffer.from(registrationId.toLowerCase())));
}
