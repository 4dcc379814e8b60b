import { describeCause, isLandfallError, LandfallError } from "../../errors.ts";
import { TpmTunnel } from "../../serial/groups/tpm-tunnel.ts";
import type { SmpClient } from "../../serial/smp-client.ts";
import type { OpenTpmDevice, TpmDevice } from "../tpm/tpm-device.ts";

/** What opens the TPM behind an MCU, which has one line for all its pieces of work. */
export function mcuTpmOpener(client: SmpClient): OpenTpmDevice {
  const tunnel = new TpmTunnel(client);
  return async () => ({ transmit: (command, options) => transmit(tunnel, command, options), close: async () => {} });
}

async function transmit(tunnel: TpmTunnel, ...[command, options]: Parameters<TpmDevice["transmit"]>) {
  try {
    return await tunnel.transmit(command, options);
  } catch (cause) {
    options?.signal?.throwIfAborted();
    if (!isLandfallError(cause)) throw cause;
    throw new LandfallError("tpm.unavailable", `The TPM behind the MCU did not answer: ${describeCause(cause)}.`, {
      cause,
    });
  }
}
