import { MessageChannel } from "node:worker_threads";
import type { Clock } from "../../clock.ts";
import { inMcu } from "../../config/mcu-place.ts";
import type { AttestationSettings, McuSettings } from "../../config/settings.ts";
import type { Logger } from "../../log.ts";
import { portAt } from "../../serial/port-at.ts";
import { RemoteLink } from "../../serial/remote/remote-link.ts";
import { SmpLink } from "../../serial/smp-link.ts";
import { EngineTlsKey } from "../engine/engine-tls-key.ts";
import type { TlsKey } from "../tls-key.ts";
import type { OpenedMcu } from "./opened-mcu.ts";
import { mcuSigningThread } from "./signing-thread-program.ts";

/** What the link to the MCU works with. */
export interface McuSurroundings {
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  /** Whether the MCU has to be there now, with the errors that this otherwise has for a TLS key. Default false. */
  readonly mustBeThere?: boolean;
}

/**
 * Opens the MCU for what `identity` keeps in it. With the key of its certificate, the port belongs to a thread of its own,
 * because TLS lets the main one do nothing until it has a signature; then the MCU has to be there, and this rejects with
 * `serial.*`, `smp.*`, `certificate.unusable`, `key.unusable` or `key.engine-missing`. Otherwise it may be plugged in later.
 */
export function openMcu(
  settings: McuSettings,
  identity: AttestationSettings,
  surroundings: McuSurroundings,
): Promise<OpenedMcu> {
  const signs = identity.method === "x509" && identity.source.kind === "pem" && identity.source.privateKey === inMcu;
  return signs ? openInThread(settings, surroundings) : openHere(settings, surroundings);
}

async function openHere(
  { port, baudRate }: McuSettings,
  { clock, random, log, mustBeThere = false }: McuSurroundings,
): Promise<OpenedMcu> {
  const options = { port: portAt(port, baudRate), clock, random, logger: log };
  const link = await (mustBeThere ? SmpLink.open(options) : SmpLink.start(options));
  return opened({ link, close: () => link.close() });
}

async function openInThread({ port, baudRate }: McuSettings, { log }: McuSurroundings): Promise<OpenedMcu> {
  const { port1: messages, port2: far } = new MessageChannel();
  const link = await RemoteLink.start({ messages, portName: port, logger: log });
  try {
    const key = await EngineTlsKey.open({
      location: inMcu,
      program: mcuSigningThread,
      signer: { port, baudRate, messages: far },
      transfer: [far],
    });
    return opened({
      link,
      tlsKey: borrowed(key),
      close: async () => {
        await key.close();
        await link.close();
      },
    });
  } catch (error) {
    await link.close();
    throw error;
  }
}

/** The key, for whoever closes what he uses: the port is not his to close. */
function borrowed(key: EngineTlsKey): TlsKey {
  const close = async (): Promise<void> => {};
  const { location, publicKey } = key;
  return { location, publicKey, secureContext: (base) => key.secureContext(base), close, [Symbol.asyncDispose]: close };
}

function opened(parts: Omit<OpenedMcu, typeof Symbol.asyncDispose>): OpenedMcu {
  return { ...parts, [Symbol.asyncDispose]: () => parts.close() };
}
