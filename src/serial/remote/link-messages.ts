import type { ErrorCode } from "../../errors.ts";
import type { SmpPush, SmpRequest } from "../smp-client.ts";
import type { SmpFault } from "../smp-faults.ts";

/*
 * What a link in another thread and the one that stands for it here say to each other. Bodies travel in CBOR: a body that
 * is copied as an object takes along the whole memory that its bytes are a part of.
 */

/** A request, with its body in CBOR. */
export type SentRequest = Omit<SmpRequest, "body"> & { readonly body: Uint8Array };

/** What is asked of the thread that has the port. Calls are numbered. */
export type LinkOrder =
  | { readonly kind: "request"; readonly call: number; readonly request: SentRequest }
  | { readonly kind: "packet-bytes"; readonly call: number }
  | { readonly kind: "abort"; readonly call: number }
  | { readonly kind: "serve" | "stop-serving"; readonly group: number }
  /** The answer to a push; without one the MCU gets none. */
  | { readonly kind: "pushed"; readonly push: number; readonly body?: Uint8Array; readonly refusal?: SentError };

/** What that thread says. */
export type LinkNews =
  | { readonly kind: "answer"; readonly call: number; readonly body: Uint8Array }
  | { readonly kind: "packet-bytes"; readonly call: number; readonly bytes: number }
  | { readonly kind: "failed"; readonly call: number; readonly error: SentError }
  | { readonly kind: "push"; readonly push: number; readonly group: number; readonly asked: SentPush }
  | { readonly kind: "up" }
  | { readonly kind: "down"; readonly error: SentError }
  | { readonly kind: "text"; readonly line: string };

/** A request of the MCU's, with its body in CBOR. */
export type SentPush = Omit<SmpPush, "body"> & { readonly body: Uint8Array };

/** An error as it crosses; what it was is made anew on the other side. */
export interface SentError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly details: readonly string[];
  /** Of a refusal by the MCU. */
  readonly refused?: { readonly what: string; readonly fault: SmpFault };
}
