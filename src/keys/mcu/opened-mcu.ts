import { LandfallError } from "../../errors.ts";
import type { McuLink } from "../../serial/mcu-link.ts";
import type { TlsKey } from "../tls-key.ts";

/** The MCU, for whoever keeps something in it. */
export interface OpenedMcu extends AsyncDisposable {
  readonly link: McuLink;
  /** The MCU's own key, for TLS. Present where it was opened for that. It lasts until the MCU is closed; closing it does nothing. */
  readonly tlsKey?: TlsKey;
  /** Lets go of key and port. Idempotent. */
  close(): Promise<void>;
}

/** The MCU, which a valid configuration has where something is in it. Throws `key.unusable` otherwise. */
export function requireMcu<Mcu>(mcu: Mcu | undefined): Mcu {
  if (mcu !== undefined) return mcu;
  throw new LandfallError("key.unusable", "Expected an MCU, for something is said to be in it; found none open.");
}
