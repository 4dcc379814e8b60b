import net, { type NetConnectOpts, type Socket } from "node:net";
import { onAbort } from "../../abort.ts";
import { describeCause, LandfallError } from "../../errors.ts";
import { ResponseAssembly } from "./response-frame.ts";
import type { TpmDevice } from "./tpm-device.ts";

/**
 * The data channel of a software TPM: commands and responses follow each other on a stream with nothing between.
 * swtpm serves one connection at a time; another waits until the first is closed.
 */
export class SocketDevice implements TpmDevice {
  readonly #socket: Socket;
  readonly #location: string;

  private constructor(socket: Socket, location: string) {
    this.#socket = socket;
    this.#location = location;
  }

  /**
   * Connects. Rejects with `tpm.unavailable`, or with `signal.reason`.
   * @param location how the configuration writes it, for messages
   */
  static async open(
    target: NetConnectOpts,
    location: string,
    { signal }: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<SocketDevice> {
    signal?.throwIfAborted();
    const socket = net.connect(target);
    // For good: a socket may break while nobody waits, and `close` tells whoever waits next.
    socket.on("error", () => {});
    await settled<void>(socket, signal, (resolve, reject) => ({
      connect: () => resolve(),
      close() {
        const why = describeCause(socket.errored ?? "it closed the connection");
        const message = `The TPM at ${location} cannot be reached: ${why}.`;
        reject(new LandfallError("tpm.unavailable", message, { cause: socket.errored ?? undefined }));
      },
    }));
    return new SocketDevice(socket, location);
  }

  async transmit(
    command: Uint8Array,
    { signal }: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<Uint8Array> {
    signal?.throwIfAborted();
    const socket = this.#socket;
    if (socket.destroyed || socket.readableEnded) throw this.#lost();
    const assembly = new ResponseAssembly();
    return settled<Uint8Array>(socket, signal, (resolve, reject) => {
      socket.write(command);
      return {
        data(bytes: Buffer) {
          try {
            const response = assembly.add(bytes);
            if (response !== undefined) resolve(response);
          } catch (error) {
            reject(error);
          }
        },
        end: () => reject(this.#lost()),
        close: () => reject(this.#lost()),
      };
    });
  }

  async close(): Promise<void> {
    this.#socket.destroy();
  }

  #lost(): LandfallError {
    const cause = this.#socket.errored ?? undefined;
    const why = cause === undefined ? "" : `: ${describeCause(cause)}`;
    const message = `The TPM at ${this.#location} closed the connection before it answered${why}.`;
    return new LandfallError("tpm.unavailable", message, { cause });
  }
}

type Listeners = Readonly<Record<string, (about: Buffer) => void>>;

/** Waits with the listeners that `start` gives, and takes them away again; a failure or an abort destroys the socket. */
async function settled<T>(
  socket: Socket,
  signal: AbortSignal | undefined,
  start: (resolve: (value: T) => void, reject: (reason: unknown) => void) => Listeners,
): Promise<T> {
  let listeners: Listeners = {};
  let stopListening = (): void => {};
  try {
    return await new Promise<T>((resolve, reject) => {
      stopListening = onAbort(signal, () => reject(signal?.reason));
      listeners = start(resolve, reject);
      for (const [event, listener] of Object.entries(listeners)) socket.on(event, listener);
    });
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    stopListening();
    for (const [event, listener] of Object.entries(listeners)) socket.off(event, listener);
  }
}
