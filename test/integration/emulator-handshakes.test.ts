import net from "node:net";
import tls from "node:tls";
import { describe, expect, test } from "vitest";
import { deferred } from "../../src/deferred.ts";
import { Emulator } from "../../src/emulator/index.ts";
import { createLogger, type LogRecord } from "../../src/log.ts";

const hubHost = "hub-a.azure-devices.net";
const atPort = (port: number) => ({ host: "127.0.0.1", port });

/** A client without the emulator's CA, and others that do not get through the handshake. */
const clients: readonly (readonly [string, (port: number) => net.Socket, LogRecord["level"], RegExp])[] = [
  [
    "does not trust its CA",
    (port) => tls.connect({ ...atPort(port), servername: hubHost }),
    "warn",
    /a client of hub-a\.azure-devices\.net .* does not trust the emulator's certificate: give it the CA file/,
  ],
  [
    "speaks no TLS",
    (port) =>
      net.connect(atPort(port)).once("connect", function (this: net.Socket) {
        this.write(Buffer.from("100c00044d5154540402003c0000", "hex"));
      }),
    "warn",
    /no TLS/,
  ],
  [
    "speaks TLS 1.1 at most",
    (port) =>
      tls.connect({ ...atPort(port), minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" }),
    "warn",
    /no TLS 1\.2 or later/,
  ],
  [
    "only looks whether the port is open",
    (port) =>
      net.connect(atPort(port)).once("connect", function (this: net.Socket) {
        this.end();
      }),
    "debug",
    /TLS handshake failed/,
  ],
];

describe("the emulator's log has a word on a client that", () => {
  test.each(clients)("%s", async (_what, connect, level, says) => {
    const told = deferred<LogRecord>();
    await using emulator = await Emulator.start({ log: createLogger("debug", (record) => told.resolve(record)) });
    connect(emulator.ready.mqttPort).on("error", () => {}); // its own complaint is not the matter
    expect(await told.promise).toMatchObject({ level, message: expect.stringMatching(says) });
  });
});
