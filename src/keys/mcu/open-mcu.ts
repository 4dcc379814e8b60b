import { MessageChannel } from "node:worker_threads";
import type { Clock } from "../../clock.ts";
import { inMcu } from "../../config/mcu-place.ts";
import type { AttestationSettings, McuSettings } from "../../config/settings.ts";
import type { Logger } from "../../log.ts";
import { portAt } from "../../serial/port-at.ts";
import { RemoteLink } from "../../serial/remote/remote-link.ts";
import { SmpLink } from "../../serial/smp-link.ts";
import { EngineTlsKey } from "../engine/engine-tls-key.ts";
import type { OpenedMcu } from "./opened-mcu.ts";
import { mcuSigningThread } from "./signing-thread-program.ts";

/** What the link to the MCU works with. */
export interface McuSurroundings {
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
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

async function openHere({ port, baudRate }: McuSettings, { clock, random, log }: McuSurroundings): Promise<OpenedMcu> {
  const link = await SmpLink.start({ port: portAt(port, baudRate), clock, random, logger: log });
  return opened({ link, close: () => link.close() });
}

async function openInThread({ port, baudRate }: McuSettings, { log }: McuSurroundings): Promise<OpenedMcu> {
  const { port1: messages, port2: far } = new MessageChannel();
  const link = await RemoteLink.start({ messages, portName: port, logger: log });
  try {
    const tlsKey = await EngineTlsKey.open({
      location: inMcu,
      program: mcuSigningThread,
      signer: { port, baudRate, messages: far },
      transfer: [far],
    });
    return opened({
      link,
      tlsKey,
      close: async () => {
        await tlsKey.close();
        await link.close();
      },
    });
  } catch (error) {
    await link.close();
    throw error;
  }
}

function opened(parts: Omit<OpenedMcu, typeof Symbol.asyncDispose>): OpenedMcu {
  return { ...parts, [Symbol.asyncDispose]: () => parts.close() };
}
