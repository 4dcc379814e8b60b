import type { X509Certificate } from "node:crypto";
import type { TLSSocket } from "node:tls";

/** What a TLS handshake tells of a client. */
export interface Caller {
  /** The name it asked for in the TLS handshake (SNI); absent when it dialled an address. */
  readonly serverName?: string;
  readonly remoteAddress: string;
  /** The ports of the connection; absent where there is none. */
  readonly localPort?: number | undefined;
  readonly remotePort?: number | undefined;
  /** The certificates it sent, leaf first, each one issued by the next; not verified. Empty when it sent none. */
  readonly certificates: readonly X509Certificate[];
}

/** Kept because Node gives away the certificates above the leaf only once for each connection. */
const known = new WeakMap<TLSSocket, Caller>();

/** The {@link Caller} behind a socket whose handshake is done. */
export function callerOf(socket: TLSSocket): Caller {
  const caller = known.get(socket) ?? readCaller(socket);
  known.set(socket, caller);
  return caller;
}

function readCaller(socket: TLSSocket): Caller {
  const serverName = (socket as { servername?: string | false | null }).servername;
  return {
    ...(serverName ? { serverName: serverName.toLowerCase() } : {}),
    remoteAddress: socket.remoteAddress ?? "",
    localPort: socket.localPort,
    remotePort: socket.remotePort,
    certificates: certificatesOf(socket),
  };
}

function certificatesOf(socket: TLSSocket): X509Certificate[] {
  const chain: X509Certificate[] = [];
  let next = socket.getPeerX509Certificate();
  while (next !== undefined && next.fingerprint256 !== chain.at(-1)?.fingerprint256) {
    chain.push(next);
    next = next.issuerCertificate;
  }
  return chain;
}
