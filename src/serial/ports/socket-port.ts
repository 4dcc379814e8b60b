import { connect, type NetConnectOpts } from "node:net";
import type { Duplex } from "node:stream";
import { onAbort } from "../../abort.ts";
import type { Port } from "../port.ts";
import { openError } from "./port-error.ts";

/** How long a peer may be silent, in milliseconds, before the system asks whether it is still there. */
const keepAliveMs = 10_000;

/** A port behind a TCP or Unix socket, as QEMU and ser2net offer it. */
export class SocketPort implements Port {
  readonly name: string;
  readonly #target: NetConnectOpts;

  constructor(name: string, target: { readonly host: string; readonly port: number } | { readonly path: string }) {
    this.name = name;
    this.#target = { ...target, noDelay: true, keepAlive: true, keepAliveInitialDelay: keepAliveMs };
  }

  open({ signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<Duplex> {
    signal?.throwIfAborted();
    return new Promise((resolve, reject) => {
      const socket = connect(this.#target);
      const stopListening = onAbort(signal, () => {
        socket.destroy();
        reject(signal?.reason);
      });
      const onError = (cause: Error): void => {
        stopListening();
        reject(openError(this.name, cause));
      };
      socket.once("error", onError).once("connect", () => {
        stopListening();
        socket.off("error", onError);
        resolve(socket);
      });
    });
  }
}
