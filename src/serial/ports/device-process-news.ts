import type { ErrorCode } from "../../errors.ts";

/** What the process that has a serial device says, beside the bytes. */
export type DeviceProcessNews =
  | { readonly kind: "open" }
  | { readonly kind: "failed"; readonly code: ErrorCode; readonly message: string };
