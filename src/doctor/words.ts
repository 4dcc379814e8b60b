import { describeCause, isLandfallError } from "../errors.ts";

/** What an error says, for people; its code, where it has one, is not part of it. */
export function saidBy(error: unknown): string {
  return isLandfallError(error) ? error.message : describeCause(error);
}
