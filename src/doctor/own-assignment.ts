import type { StoredAssignment } from "../provisioning/assignment-store.ts";

/** Whether an assignment was made for this device; an id that cannot be told, for want of a certificate, is not held against it. */
export function isFor(
  { binding }: Extract<StoredAssignment, { state: "stored" }>,
  idScope: string,
  registrationId: string | undefined,
): boolean {
  const sameId = registrationId === undefined || binding.registrationId === registrationId;
  return binding.idScope === idScope && sameId;
}
