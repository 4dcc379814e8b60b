import { once } from "node:events";
import type { AddressInfo } from "node:net";
import tls, { type SecureContext, type TlsOptions } from "node:tls";
import { testAuthority, testCertificate } from "./tls-peer.ts";

const name = "server.test";

/** What a server learned of a client. */
export interface ClientSeen {
  readonly subject: string;
  readonly protocol: string | null;
}

/**
 * One handshake in which the server asks for a client certificate that `clientCa` has signed, and verifies that the client
 * has its key. Rejects with the client's or the server's failure.
 * @param context makes the client's context on top of the one that trusts the server
 * @param server more settings of the server: versions, signature algorithms
 */
export async function handshake(
  context: (base: tls.SecureContextOptions) => Promise<SecureContext>,
  clientCa: string,
  server: TlsOptions = {},
): Promise<ClientSeen> {
  const authority = await testAuthority();
  const { chainPem, privateKeyPem } = await testCertificate(name);
  const ca = authority.certificatePem;
  const options = { cert: chainPem, key: privateKeyPem, ca: clientCa, requestCert: true, rejectUnauthorized: true };
  const listener = tls.createServer({ ...options, ...server }).listen(0, "127.0.0.1");
  await once(listener, "listening");
  const secureContext = await context({ ca, minVersion: "TLSv1.2" });
  const { port } = listener.address() as AddressInfo;
  const client = tls.connect({ port, host: "127.0.0.1", servername: name, secureContext });
  try {
    return await new Promise<ClientSeen>((resolve, reject) => {
      client.once("error", reject);
      listener.once("tlsClientError", reject);
      listener.once("secureConnection", (socket) => {
        socket.on("error", () => {});
        resolve({ subject: String(socket.getPeerCertificate().subject?.CN), protocol: socket.getProtocol() });
      });
    });
  } finally {
    client.destroy();
    listener.close();
    await once(listener, "close");
  }
}
