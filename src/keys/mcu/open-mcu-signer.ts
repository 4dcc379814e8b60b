import type { MessagePort } from "node:worker_threads";
import { portAt } from "../../serial/port-at.ts";
import { serveLink } from "../../serial/remote/serve-link.ts";
import { SmpLink } from "../../serial/smp-link.ts";
import { McuDigestSigner } from "./mcu-digest-signer.ts";

/** What the thread that has the port begins with. */
export interface McuSignerOptions {
  readonly port: string;
  readonly baudRate: number;
  /** The way to the link that stands for this one in the main thread. */
  readonly messages: MessagePort;
}

/**
 * Opens the port, signs over it for TLS, and serves the main thread's requests over it.
 * Rejects with the `serial.*` error when the port cannot be opened now, and as {@link McuDigestSigner.open}.
 */
export async function openMcuSigner({ port, baudRate, messages }: McuSignerOptions): Promise<McuDigestSigner> {
  const link = await SmpLink.open({ port: portAt(port, baudRate) });
  try {
    const signer = await McuDigestSigner.open(link);
    serveLink(link, messages);
    return signer;
  } catch (error) {
    await link.close();
    throw error;
  }
}
