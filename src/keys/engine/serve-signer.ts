import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { describeCause, isLandfallError } from "../../errors.ts";
import type { DigestSigner } from "../digest-signer.ts";
import type { SigningThreadData, SigningThreadNews } from "./signing-messages.ts";
import { SigningService } from "./signing-service.ts";
import { trySigner } from "./try-signer.ts";

/**
 * The whole life of a signing thread: opens its signer, has it sign once to see that it can, serves the engine, and lets
 * go of everything when told to. The module that a signing thread starts with calls this and does nothing else.
 * @param open gets what the thread was started with; see `SigningThreadData.signer`
 */
export async function serveSigner(open: (options: never) => Promise<DigestSigner>): Promise<void> {
  const port = required(parentPort);
  const { socketPath, token, signer: options } = workerData as SigningThreadData;
  const say = (news: SigningThreadNews): void => port.postMessage(news);
  let signer: DigestSigner | undefined;
  try {
    signer = await open(options as never);
    await trySigner(signer);
    const service = await SigningService.listen(signer, { socketPath, token });
    const opened = signer;
    port.once("message", async () => {
      await service.close();
      await opened.close();
      port.close();
    });
    say({ kind: "ready", spki: signer.publicKey.export({ type: "spki", format: "der" }) });
  } catch (error) {
    await signer?.close();
    const known = isLandfallError(error);
    const code = known ? error.code : "key.hardware-failed";
    say({ kind: "failed", code, message: known ? error.message : describeCause(error) });
    port.close();
  }
}

function required(port: MessagePort | null): MessagePort {
  if (port === null) throw new TypeError("a signer is served from a worker thread");
  return port;
}
