import { constants } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer as createHttpsServer, type Server as HttpsServer } from "node:https";
import type { Server as NetServer, ServerOpts, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { createServer as createTlsServer, type TLSSocket, type TlsOptions, type Server as TlsServer } from "node:tls";
import { describeCause, LandfallError } from "../errors.ts";
import type { Logger } from "../log.ts";
import { type Caller, callerOf } from "./caller.ts";
import { handshakeFailure } from "./handshake-failure.ts";
import type { CutManner } from "./mqtt/link.ts";
import type { Peer } from "./mqtt/peer.ts";
import { WebSockets } from "./web-sockets.ts";

/** What a {@link FrontDoor} is made with. */
export interface FrontDoorOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly mqttPort: number;
  /** 0: any free port. */
  readonly webSocketPort: number;
  /** PEM chain and key of the one certificate that all services share. */
  readonly certificate: { readonly chainPem: string; readonly privateKeyPem: string };
  readonly log: Logger;
  /** Called for every connection that is ready to speak MQTT. `cut` ends it as a failing network does. */
  readonly onConnection: (stream: Duplex, peer: Peer, cut: (manner: CutManner) => void) => void;
  /** Called for every HTTPS request; whoever takes it answers it, or cuts its connection. */
  readonly onRequest: (request: IncomingMessage, response: ServerResponse, caller: Caller) => void;
}

/**
 * How long an HTTPS connection may wait for its next request. Far longer than Node's five seconds: a device that polls
 * slowly, or is busy with a large file between two requests, must not come back just when its connection is closed.
 */
const idleHttpsMs = 120_000;

/**
 * The two ports of the emulator: MQTT over TLS, and HTTPS with MQTT over WebSocket. All services stand behind both.
 *
 * Clients are asked for a certificate and come in whatever they answer, as the cloud does it: who uses a shared access
 * signature sends none, and the service judges at CONNECT or at registration.
 */
export class FrontDoor {
  readonly #options: FrontDoorOptions;
  readonly #mqtt: TlsServer;
  readonly #https: HttpsServer;
  readonly #sockets = new Set<Socket>();

  private constructor(options: FrontDoorOptions) {
    this.#options = options;
    const tls: TlsOptions & ServerOpts = {
      cert: options.certificate.chainPem,
      key: options.certificate.privateKeyPem,
      requestCert: true,
      rejectUnauthorized: false,
      // No names of authorities in the request: the client is to send what it has.
      ca: [],
      minVersion: "TLSv1.2",
      noDelay: true,
      // No resumption: a resumed session would not carry the client's intermediate certificates.
      secureOptions: constants.SSL_OP_NO_TICKET,
    };
    this.#mqtt = createTlsServer(tls, (socket) => this.#welcome(socket, socket, "mqtt"));
    this.#https = createHttpsServer(tls, (request, response) => {
      options.onRequest(request, response, callerOf(request.socket as TLSSocket));
    });
    this.#https.keepAliveTimeout = idleHttpsMs;
    const webSockets = new WebSockets(options.log, (stream, socket) => this.#welcome(stream, socket, "mqtt-ws"));
    this.#https.on("upgrade", (request, socket, head) => webSockets.upgrade(request, socket, head));
    for (const server of [this.#mqtt, this.#https]) this.#guard(server);
  }

  /** Opens both ports. Rejects with `emulator.listen-failed`. */
  static async open(options: FrontDoorOptions): Promise<FrontDoor> {
    const door = new FrontDoor(options);
    try {
      await listen(door.#mqtt, options.host, options.mqttPort);
      await listen(door.#https, options.host, options.webSocketPort);
    } catch (error) {
      await door.close();
      throw error;
    }
    return door;
  }

  get mqttPort(): number {
    return portOf(this.#mqtt);
  }

  get webSocketPort(): number {
    return portOf(this.#https);
  }

  /** Closes both ports and cuts every connection, also those that have not finished their handshake. */
  async close(): Promise<void> {
    const closed = [this.#mqtt, this.#https].map((server) => new Promise((resolve) => server.close(resolve)));
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(closed);
  }

  #welcome(stream: Duplex, socket: TLSSocket, transport: Peer["transport"]): void {
    this.#options.onConnection(stream, { ...callerOf(socket), transport }, (manner) => this.#cut(socket, manner));
  }

  /** Below TLS: the end of a TLS socket would be an orderly one, which a client can tell from a failure. */
  #cut({ localPort, remotePort }: TLSSocket, manner: CutManner): void {
    for (const socket of this.#sockets) {
      if (socket.localPort !== localPort || socket.remotePort !== remotePort) continue;
      if (manner === "reset") socket.resetAndDestroy();
      else socket.destroy();
    }
  }

  /** Whatever arrives at a port must not end the emulator, and nothing may outlive {@link close}. */
  #guard(server: TlsServer | HttpsServer): void {
    server.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on("error", () => {});
      socket.once("close", () => this.#sockets.delete(socket));
    });
    server.on("secureConnection", (socket: TLSSocket) => socket.on("error", () => {}));
    server.on("tlsClientError", (error: Error, { servername }: TLSSocket) => {
      const { log } = this.#options;
      const why = handshakeFailure(error, servername);
      if (why === undefined) log.debug(() => `a TLS handshake failed: ${describeCause(error)}`);
      else log.warn(() => `a client${servername ? ` of ${servername}` : ""} was not let in by TLS: ${why}`);
    });
    server.on("clientError", (_error, socket: Socket) => socket.destroy());
  }
}

function listen(server: NetServer, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => {
      const message = `Could not listen on ${host}:${port}: ${cause.code ?? cause.message}.`;
      reject(new LandfallError("emulator.listen-failed", message, { cause }));
    });
    server.listen(port, host, () => {
      server.removeAllListeners("error");
      server.on("error", () => {});
      resolve();
    });
  });
}

function portOf(server: NetServer): number {
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}
