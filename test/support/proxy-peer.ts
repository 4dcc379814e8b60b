import { once } from "node:events";
import http from "node:http";
import https from "node:https";
import net, { type AddressInfo, type Server, type Socket } from "node:net";
import { testCertificate } from "./tls-peer.ts";

/** How a test proxy behaves. */
export interface ProxyPeerOptions {
  /** Wanted credentials. Default: none. */
  readonly user?: string;
  readonly password?: string;
  /** HTTP: answer every CONNECT with this status. */
  readonly refuseWith?: number;
  /** HTTP: take TLS connections, with a certificate for this name. */
  readonly tlsName?: string;
}

/** A proxy on loopback. Whatever name it is asked for, it connects to 127.0.0.1 and the asked port. */
export interface ProxyPeer extends AsyncDisposable {
  readonly port: number;
  /** What it was asked to connect to, `host:port`. */
  readonly asked: readonly string[];
}

/** An HTTP proxy that knows CONNECT. */
export async function startHttpProxy(options: ProxyPeerOptions = {}): Promise<ProxyPeer> {
  const asked: string[] = [];
  const wanted = Buffer.from(`${options.user}:${options.password}`).toString("base64");
  const server = options.tlsName === undefined ? http.createServer() : await secureServer(options.tlsName);
  server.on("connect", (request, client: Socket) => {
    const destination = request.url ?? "";
    asked.push(destination);
    client.on("error", () => {});
    const given = request.headers["proxy-authorization"];
    const status = options.refuseWith ?? (options.user !== undefined && given !== `Basic ${wanted}` ? 407 : 200);
    client.write(`HTTP/1.1 ${status} Whatever\r\n\r\n`);
    if (status === 200) join(client, Number(/:(\d+)$/.exec(destination)?.[1]));
    else client.end();
  });
  return listen(server, asked);
}

/** A SOCKS 5 proxy that knows CONNECT, with user name and password or without. */
export async function startSocksProxy(options: ProxyPeerOptions = {}): Promise<ProxyPeer> {
  const asked: string[] = [];
  const server = net.createServer((client) => {
    client.on("error", () => {});
    void serveSocks(client, options, asked).catch(() => client.destroy());
  });
  return listen(server, asked);
}

async function secureServer(commonName: string): Promise<https.Server> {
  const { chainPem, privateKeyPem } = await testCertificate(commonName);
  return https.createServer({ cert: chainPem, key: privateKeyPem });
}

async function serveSocks(client: Socket, options: ProxyPeerOptions, asked: string[]): Promise<void> {
  const next = async (): Promise<Buffer> => ((await once(client, "data")) as [Buffer])[0];
  const method = options.user === undefined ? 0 : 2;
  const greeting = await next();
  if (!greeting.subarray(2).includes(method)) {
    client.end(Buffer.from([5, 0xff]));
    return;
  }
  client.write(Buffer.from([5, method]));
  if (method === 2) {
    const login = await next();
    const userEnd = 2 + (login[1] ?? 0);
    const right =
      login.toString("utf8", 2, userEnd) === options.user && login.toString("utf8", userEnd + 1) === options.password;
    client.write(Buffer.from([1, right ? 0 : 1]));
    if (!right) return void client.end();
  }
  const request = await next();
  const port = request.readUInt16BE(request.length - 2);
  asked.push(`${askedHost(request)}:${port}`);
  const isIpv6 = request[3] === 4;
  client.write(Buffer.from(isIpv6 ? [5, 0, 0, 4, ...Array(15).fill(0), 1, 0, 0] : [5, 0, 0, 1, 127, 0, 0, 1, 0, 0]));
  join(client, port);
}

/** A name, an IPv4 address, or an IPv6 address with all its digits, in brackets. */
function askedHost(request: Buffer): string {
  if (request[3] === 3) return request.toString("utf8", 5, 5 + (request[4] ?? 0));
  if (request[3] === 1) return [...request.subarray(4, 8)].map(String).join(".");
  return `[${request.toString("hex", 4, 20).match(/.{4}/g)?.join(":")}]`;
}

function join(client: Socket, port: number): void {
  const upstream = net.connect(port, "127.0.0.1");
  upstream.on("error", () => client.destroy());
  upstream.on("close", () => client.destroy());
  client.on("close", () => upstream.destroy());
  client.pipe(upstream).pipe(client);
}

async function listen(server: Server, asked: string[]): Promise<ProxyPeer> {
  const open = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    open.add(socket);
    socket.once("close", () => open.delete(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    asked,
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
