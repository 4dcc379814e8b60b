import type { ErrorCode } from "../../errors.ts";

/* What a signing thread and the one that started it say to each other. */

/** What a signing thread starts with. */
export interface SigningThreadData {
  readonly socketPath: string;
  readonly token: string;
  /** What the thread's own signer is opened with. Whatever it is, it can be copied between threads. */
  readonly signer: unknown;
}

/** What it says once: that it signs now, or why it does not. */
export type SigningThreadNews =
  | { readonly kind: "ready" /** The public key, SubjectPublicKeyInfo in DER. */; readonly spki: Uint8Array }
  | { readonly kind: "failed"; readonly code: ErrorCode; readonly message: string };

/** What it is told once: to let go of everything and end. */
export type SigningThreadOrder = "close";
