import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import type { Clock } from "../../clock.ts";
import { withDeadline } from "../../deadline.ts";
import type { Dialer } from "../../endpoint/dialer.ts";
import { LandfallError } from "../../errors.ts";
import type { TlsIdentity } from "../../tls-identity.ts";
import type { Route } from "../transport.ts";
import { upgradeRefusal } from "./refusal.ts";

/** What carries MQTT; both are inside TLS. */
export type CarrierName = "tcp" | "websocket";

/** Who opens a carrier, and for whom. */
export interface CarrierOptions {
  readonly dialer: Dialer;
  readonly identity: TlsIdentity | undefined;
  readonly clock: Clock;
  /** Milliseconds that the peer may take to open a WebSocket. */
  readonly requestTimeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** Opens byte streams that MQTT can be spoken over. Rejects with what the dialer rejects with, or with `transport.*`. */
export type Carrier = (route: Route, options: CarrierOptions) => Promise<Duplex>;

/** The carriers by name. Default ports: 8883 and 443, the only ones that DPS and IoT Hub listen on. */
export const carriers: Readonly<Record<CarrierName, Carrier>> = {
  tcp: async (route, { dialer, identity, signal }) => {
    const target = { port: 8883, ...route, proxy: "never" } as const;
    return (await dialer.dial(target, { identity, signal })).socket;
  },

  websocket: async (route, { dialer, identity, clock, requestTimeoutMs: ms, signal }) => {
    const target = { port: 443, proxy: "allowed" as const, ...route };
    const loading = import("ws");
    const { socket } = await dialer.dial(target, { identity, signal });
    const url = `wss://${target.host}:${target.port}/$iothub/websocket`;
    const expired = (): Error =>
      new LandfallError("transport.timeout", `${target.host} opened no WebSocket within ${ms} ms`);
    try {
      const webSockets = await loading;
      return await withDeadline(() => upgrade(webSockets, socket, url), { clock, ms, expired, signal });
    } catch (error) {
      socket.destroy();
      throw error;
    }
  },
};

/**
 * Turns a verified connection into a WebSocket. The path and the subprotocol are the same for DPS and IoT Hub.
 * Who destroys `socket` ends this, too.
 */
async function upgrade(
  { WebSocket, createWebSocketStream }: typeof import("ws"),
  socket: TLSSocket,
  url: string,
): Promise<Duplex> {
  const { hostname } = new URL(url);
  // Compression would cost the service's side and ours more than telemetry gains by it.
  const webSocket = new WebSocket(url, ["mqtt"], { createConnection: () => socket, perMessageDeflate: false });
  await new Promise<void>((resolve, reject) => {
    webSocket.once("open", resolve);
    webSocket.once("unexpected-response", (request, response) => {
      request.destroy();
      reject(upgradeRefusal(hostname, response.statusCode ?? 0));
    });
    webSocket.on("error", (cause) => reject(upgradeError(hostname, cause)));
  });
  const stream = createWebSocketStream(webSocket, {
    // The parts of an MQTT packet are written one by one; without this each would become a frame of its own.
    writev(chunks, done) {
      webSocket.send(Buffer.concat(chunks.map(({ chunk }) => chunk as Buffer)), done);
    },
  });
  // A broken WebSocket ends the readable half alone; a socket would be closed then, and so is this.
  stream.once("end", () => stream.destroy());
  return stream;
}

function upgradeError(host: string, cause: Error): Error {
  const broken = typeof (cause as NodeJS.ErrnoException).code === "string";
  return broken
    ? new LandfallError("transport.closed", `the connection to ${host} broke before a WebSocket was open`, { cause })
    : new LandfallError("transport.protocol", `${host} opened no proper WebSocket: ${cause.message}`, { cause });
}
