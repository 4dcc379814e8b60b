import { MessageChannel } from "node:worker_threads";
import { Backoff } from "../../backoff.ts";
import type { Clock } from "../../clock.ts";
import { inMcu } from "../../config/mcu-place.ts";
import type { AttestationSettings, McuSettings } from "../../config/settings.ts";
import type { Logger } from "../../log.ts";
import { portAt } from "../../serial/port-at.ts";
import { RemoteLink } from "../../serial/remote/remote-link.ts";
import { SmpLink } from "../../serial/smp-link.ts";
import { EngineTlsKey } from "../engine/engine-tls-key.ts";
import { SigningThread } from "../engine/signing-thread.ts";
import type { TlsKey } from "../tls-key.ts";
import type { OpenedMcu } from "./opened-mcu.ts";
import { mcuSigningThread } from "./signing-thread-program.ts";
import { startAgain } from "./start-again.ts";

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

async function openInThread({ port, baudRate }: McuSettings, about: McuSurroundings): Promise<OpenedMcu> {
  const link = await RemoteLink.start({ portName: port, logger: about.log });
  const closing = new AbortController();
  const { signal } = closing;
  const pace = new Backoff(about);
  const start = async (): Promise<SigningThread> => {
    const { port1: near, port2: messages } = new MessageChannel();
    link.attach(near);
    const thread = await SigningThread.start(mcuSigningThread, { port, baudRate, messages }, [messages]);
    // Not only when TLS asks for it: it has the port, and the MCU may have something to say.
    void thread.ended.then(() => startAgain(() => key.revive(), { ...about, pace }, { signal }));
    return thread;
  };
  let key: EngineTlsKey;
  try {
    key = await EngineTlsKey.open({ location: inMcu, start });
  } catch (error) {
    await link.close();
    throw error;
  }
  const close = async (): Promise<void> => {
    closing.abort();
    await link.close();
    await key.close();
  };
  return opened({ link, tlsKey: borrowed(key), close });
}

/** The key, for whoever closes what he uses: the port is not his to close. */
function borrowed(key: EngineTlsKey): TlsKey {
  const close = async (): Promise<void> => {};
  const { location, publicKey } = key;
  return {
    location,
    publicKey,
    secureContext: (base) => key.secureContext(base),
    signingFailure: (cause) => key.signingFailure(cause),
    close,
    [Symbol.asyncDispose]: close,
  };
}

function opened(parts: Omit<OpenedMcu, typeof Symbol.asyncDispose>): OpenedMcu {
  return { ...parts, [Symbol.asyncDispose]: () => parts.close() };
}
