import { once } from "node:events";
import type { AddressInfo, Socket } from "node:net";
import tls, { type TLSSocket } from "node:tls";
import { CertificateAuthority, type IssuedCertificate } from "../../src/emulator/certificate-authority.ts";
import { TrustedContexts } from "../../src/endpoint/trust.ts";

let authority: Promise<CertificateAuthority> | undefined;

/** The CA of the tests in this process; making keys takes time, so there is one. */
export function testAuthority(): Promise<CertificateAuthority> {
  authority ??= CertificateAuthority.create({ commonName: "Test root" });
  return authority;
}

let trusted: Promise<TrustedContexts> | undefined;

/** TLS contexts that trust the {@link testAuthority}, for all dialers of this process: each of them takes time to make. */
export function testTrust(): Promise<TrustedContexts> {
  trusted ??= testAuthority().then(({ certificatePem }) => new TrustedContexts(certificatePem));
  return trusted;
}

const usual = new Map<string, Promise<IssuedCertificate>>();

/** A certificate of the {@link testAuthority}; the same names get the same one. */
export function testCertificate(...names: readonly string[]): Promise<IssuedCertificate> {
  const key = names.join(" ");
  const known = usual.get(key);
  if (known !== undefined) return known;
  const issued = testAuthority().then((authority) =>
    authority.issue({ commonName: names[0] ?? "", dnsNames: names, usage: "server" }),
  );
  usual.set(key, issued);
  return issued;
}

/** How a {@link TlsPeer} presents itself. */
export interface TlsPeerOptions {
  /** Names in its certificate. Default: `peer.test`. */
  readonly names?: readonly string[];
  /** Who signs its certificate. Default: {@link testAuthority}. */
  readonly issuer?: CertificateAuthority;
  /** End of its certificate's life. */
  readonly notAfter?: Date;
  /** CA whose client certificates are asked for; without one no client certificate is. */
  readonly clientCa?: string;
}

/** A TLS server on loopback that counts what reaches it. */
export interface TlsPeer extends AsyncDisposable {
  readonly port: number;
  /** Connections that completed TLS. */
  readonly secured: readonly TLSSocket[];
  /** TCP connections that are open now. */
  readonly openSockets: number;
  /** Resolves when no TCP connection is open any more. */
  idle(): Promise<void>;
}

/** Starts a {@link TlsPeer} on a free port; `onSecure` plays the protocol above TLS. */
export async function startTlsPeer(
  onSecure: (socket: TLSSocket) => void = () => {},
  options: TlsPeerOptions = {},
): Promise<TlsPeer> {
  const { chainPem, privateKeyPem } = await certificateFor(options);
  const secured: TLSSocket[] = [];
  const open = new Set<Socket>();
  const server = tls.createServer(
    {
      cert: chainPem,
      key: privateKeyPem,
      ...(options.clientCa ? { requestCert: true, rejectUnauthorized: true, ca: options.clientCa } : {}),
    },
    (socket) => {
      secured.push(socket);
      socket.on("error", () => {});
      onSecure(socket);
    },
  );
  server.on("tlsClientError", () => {});
  server.on("connection", (socket: Socket) => {
    open.add(socket);
    socket.once("close", () => {
      open.delete(socket);
      server.emit("socketGone");
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    secured,
    get openSockets() {
      return open.size;
    },
    async idle() {
      while (open.size > 0) await once(server, "socketGone");
    },
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

async function certificateFor({ names = ["peer.test"], issuer, notAfter }: TlsPeerOptions): Promise<IssuedCertificate> {
  if (issuer === undefined && notAfter === undefined) return testCertificate(...names);
  const authority = issuer ?? (await testAuthority());
  const validity = notAfter ? { notAfter } : {};
  return authority.issue({ commonName: names[0] ?? "", dnsNames: names, usage: "server", ...validity });
}
