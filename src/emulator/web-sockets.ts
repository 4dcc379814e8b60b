import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import { createWebSocketStream, type WebSocket, WebSocketServer } from "ws";
import type { Logger } from "../log.ts";

/** Path of MQTT over WebSocket, for DPS and hubs alike. The dollar sign is literal. */
const webSocketPath = "/$iothub/websocket";

/** The largest WebSocket message; the MQTT packets inside have a bound of their own. */
const maxWebSocketBytes = 1024 * 1024;

/** Turns HTTPS connections that ask for it into MQTT over WebSocket. */
export class WebSockets {
  readonly #log: Logger;
  readonly #onStream: (stream: Duplex, socket: TLSSocket) => void;
  readonly #server = new WebSocketServer({
    noServer: true,
    maxPayload: maxWebSocketBytes,
    perMessageDeflate: false,
    // Some clients write MQTT; each gets its own spelling back.
    handleProtocols: (offered) => [...offered].find((protocol) => protocol.toLowerCase() === "mqtt") ?? false,
  });

  /** @param onStream called with the bytes of every WebSocket, and the connection below it */
  constructor(log: Logger, onStream: (stream: Duplex, socket: TLSSocket) => void) {
    this.#log = log;
    this.#onStream = onStream;
  }

  /** Answers one request for an upgrade; those for another path get 404. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const [path] = (request.url ?? "").split("?");
    if (path !== webSocketPath) {
      this.#log.warn(() => `refused a WebSocket at ${path}; MQTT is at ${webSocketPath}`);
      socket.end("HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
      return;
    }
    this.#server.handleUpgrade(request, socket, head, (webSocket) => {
      this.#onStream(this.#streamOf(webSocket), request.socket as TLSSocket);
    });
  }

  /** MQTT comes in binary messages; one of text ends the connection. [MQTT-6.0.0-1] */
  #streamOf(webSocket: WebSocket): Duplex {
    const stream = createWebSocketStream(webSocket);
    // Before the stream's own listener, which takes both kinds.
    webSocket.prependListener("message", (_data: unknown, isBinary: boolean) => {
      if (isBinary || stream.destroyed) return;
      this.#log.warn("closed a connection: a WebSocket message of text, where MQTT has binary ones");
      stream.destroy();
    });
    return stream;
  }
}
