import http from "node:http";
import { describe, expect, test } from "vitest";
import { WebSocketServer } from "ws";
import { systemClock } from "../../../../src/clock.ts";
import { FakeClock } from "../../../../src/testing/fake-clock.ts";
import { MqttDpsTransport } from "../../../../src/transport/mqtt/mqtt-dps-transport.ts";
import { startMqttPeer } from "../../../support/mqtt-peer.ts";
import { testCredential, testDialer } from "../../../support/test-dialer.ts";
import { startTlsPeer, type TlsPeer } from "../../../support/tls-peer.ts";

const dialer = await testDialer();
const identity = { idScope: "0ne00ABCDEF", registrationId: "sensor-17", credential: testCredential };

function connect(peer: { readonly port: number }, clock = systemClock, signal?: AbortSignal) {
  const transport = new MqttDpsTransport({ dialer, clock, carrier: "websocket" });
  return transport.connect({ host: "peer.test", port: peer.port }, identity, { signal });
}

/** A peer that answers HTTP requests, and upgrades, as `answer` says. */
function startHttpPeer(
  answer: (request: http.IncomingMessage, response: http.ServerResponse) => void,
): Promise<TlsPeer> {
  const server = http.createServer(answer);
  return startTlsPeer((socket) => server.emit("connection", socket));
}

describe("MQTT over WebSocket", () => {
  test("asks for the path and the subprotocol of DPS and IoT Hub", async () => {
    await using peer = await startMqttPeer({}, "websocket");
    await using _ = await connect(peer);
    expect(peer.upgrades).toEqual([{ path: "/$iothub/websocket", protocols: ["mqtt"] }]);
  });

  test("sends each packet as one binary frame", async () => {
    const frames: { readonly bytes: number; readonly isBinary: boolean }[] = [];
    const server = http.createServer();
    new WebSocketServer({ server, handleProtocols: () => "mqtt" }).on("connection", (webSocket) => {
      webSocket.on("message", (data: Buffer, isBinary) => {
        frames.push({ bytes: data.length, isBinary });
        const isConnect = data[0] === 0x10;
        webSocket.send(
          isConnect ? Buffer.from([0x20, 2, 0, 0]) : Buffer.from([0x90, 3, data[2] ?? 0, data[3] ?? 0, 1]),
        );
      });
    });
    await using peer = await startTlsPeer((socket) => server.emit("connection", socket));
    const channel = await connect(peer);
    expect(frames).toHaveLength(2);
    expect(frames.every(({ isBinary }) => isBinary)).toBe(true);
    await Promise.all([channel.close(), peer.idle()]);
  });

  test.each([
    [401, "transport.unauthorized"],
    [403, "transport.unauthorized"],
    [404, "transport.refused"],
    [429, "transport.unavailable"],
    [503, "transport.unavailable"],
  ])("HTTP %i in place of a WebSocket becomes %s, and nothing stays open", async (status, code) => {
    await using peer = await startHttpPeer((_, response) => response.writeHead(status).end());
    await expect(connect(peer)).rejects.toMatchObject({ code, service: { status } });
    await peer.idle();
  });

  test("a peer that speaks another subprotocol is refused with transport.protocol", async () => {
    const server = http.createServer();
    new WebSocketServer({ server, handleProtocols: () => "amqp" });
    await using peer = await startTlsPeer((socket) => server.emit("connection", socket));
    await expect(connect(peer)).rejects.toMatchObject({ code: "transport.protocol" });
    await peer.idle();
  });

  test("a peer that hangs up in the middle of the upgrade is said to have done that", async () => {
    await using peer = await startHttpPeer((request) => request.socket.destroy());
    await expect(connect(peer)).rejects.toMatchObject({ code: "transport.closed" });
    await peer.idle();
  });

  test("a peer that never answers the upgrade is given up after the time-out, and nothing stays open", async () => {
    const clock = new FakeClock();
    let asked: () => void = () => {};
    const upgrading = new Promise<void>((resolve) => {
      asked = resolve;
    });
    await using peer = await startHttpPeer(() => asked());
    const connecting = connect(peer, clock);
    connecting.catch(() => {});
    await upgrading;
    await clock.advance(30_000);
    await expect(connecting).rejects.toMatchObject({ code: "transport.timeout" });
    await peer.idle();
  });

  test("an abort in the middle of the upgrade rejects with its reason, and nothing stays open", async () => {
    const abort = new AbortController();
    const reason = new Error("enough");
    await using peer = await startHttpPeer(() => abort.abort(reason));
    await expect(connect(peer, systemClock, abort.signal)).rejects.toBe(reason);
    await peer.idle();
  });
});
