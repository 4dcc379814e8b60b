import net, { type Socket } from "node:net";
import tls, { type PeerCertificate, type SecureContext, type TLSSocket } from "node:tls";
import { tcpError, tlsError } from "./dial-error.ts";

/**
 * Opens TCP to one address. Rejects with `endpoint.connect-failed` or `endpoint.connect-timeout`, or with
 * `signal.reason`; no socket is left then.
 */
export async function openTcp(address: string, port: number, signal: AbortSignal): Promise<Socket> {
  signal.throwIfAborted();
  // The order of addresses is decided above; the platform must not race families behind our back.
  const socket = net.connect({ host: address, port, autoSelectFamily: false, noDelay: true });
  await settled(socket, "connect", signal, (cause) => tcpError(address, port, cause));
  return socket;
}

/**
 * Starts TLS over an open connection and verifies the peer for `host`. Rejects with `endpoint.tls-failed` or
 * `endpoint.tls-untrusted`, or with `signal.reason`; `connection` is destroyed then.
 */
export async function startTls(
  connection: Socket,
  host: string,
  secureContext: SecureContext,
  signal: AbortSignal,
): Promise<TLSSocket> {
  if (signal.aborted) {
    connection.destroy();
    throw signal.reason;
  }
  // Spelled out, because an environment variable can turn the default off.
  const socket = tls.connect({ socket: connection, servername: host, secureContext, rejectUnauthorized: true });
  let certificate: PeerCertificate | undefined;
  // A refused certificate cannot be read any more once the socket is destroyed.
  socket.prependOnceListener("secure", () => {
    certificate = socket.getPeerCertificate();
  });
  try {
    await settled(socket, "secureConnect", signal, (cause) =>
      tlsError(host, cause, socket.authorizationError ? { certificate } : undefined),
    );
  } catch (error) {
    connection.destroy();
    throw error;
  }
  return socket;
}

/** Waits for `event`; an error, a close or an abort destroys the socket and rejects. */
async function settled(
  socket: Socket,
  event: "connect" | "secureConnect",
  signal: AbortSignal,
  failed: (cause: unknown) => Error,
): Promise<void> {
  const stop = new AbortController();
  // For good: a socket may break before its next owner listens, and `close` tells him anyway.
  socket.on("error", () => {});
  try {
    await new Promise<void>((resolve, reject) => {
      const onAbort = (): void => reject(signal.reason);
      const onError = (cause: Error): void => reject(failed(cause));
      const onClose = (): void => reject(failed(new Error("the connection was closed")));
      socket.once(event, resolve).once("error", onError).once("close", onClose);
      signal.addEventListener("abort", onAbort, { once: true });
      stop.signal.addEventListener("abort", () => {
        socket.off(event, resolve).off("error", onError).off("close", onClose);
        signal.removeEventListener("abort", onAbort);
      });
    });
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    stop.abort();
  }
}
