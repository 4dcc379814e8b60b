import { createHash } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { connect } from "node:net";
import type { Duplex } from "node:stream";
import { beforeAll, describe, expect, test } from "vitest";
import { makeMcuImage } from "../../firmware-sim/index.ts";
import { Emulator } from "../../src/emulator/index.ts";
import { isJsonObject } from "../../src/json.ts";
import {
  type Board as BoardName,
  lacksBoard,
  makeFirmware,
  provision,
  type RunningFirmware,
  startFirmware,
} from "../support/c-firmware.ts";
import { networkOf, writeConfiguration } from "../support/emulated-device.ts";
import { landfall, startLandfall } from "../support/landfall-process.ts";
import { type Board, McuGateway, oneInAThousand } from "../support/mcu-gateway.ts";
import { ScratchFolder } from "../support/scratch-folder.ts";
import { testIdentity } from "../support/simulated-mcu.ts";
import { lacks } from "../support/system-peer.ts";

const folder = new ScratchFolder();
const boards = (["host", "mps2-an385"] as const).filter((board) => !lacksBoard(board));
const { registrationId, symmetricKey, certificate, privateKey } = testIdentity;
const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

let started = 0;

/** The sample firmware at the far end of a line. */
class FirmwareBoard implements Board {
  readonly registrationId = registrationId;
  readonly #firmware: RunningFirmware;
  /** Where its UART is. */
  readonly socket: string;

  static async start(board: BoardName): Promise<FirmwareBoard> {
    started += 1;
    const files = { flash: folder.file(`${started}.flash`), socket: folder.file(`${started}.sock`) };
    const [key, p256, cert] = await Promise.all([
      folder.write("key", symmetricKey),
      folder.write("key.pem", privateKey),
      folder.write("cert.pem", certificate),
    ]);
    await provision(files.flash, { rid: registrationId, key, p256, cert });
    return new FirmwareBoard(await startFirmware(board, files), files.socket);
  }

  private constructor(firmware: RunningFirmware, socket: string) {
    this.#firmware = firmware;
    this.socket = socket;
  }

  attach(line: Duplex): void {
    const uart = connect(this.socket);
    for (const end of [line, uart]) end.on("error", () => {});
    line.once("close", () => uart.destroy());
    line.pipe(uart).pipe(line);
  }

  async close(): Promise<void> {
    await this.#firmware.cutPower();
  }
}

beforeAll(async () => {
  await makeFirmware(...boards);
}, 240_000);

describe.each(boards)("the sample firmware on %s", (name) => {
  test("serves its agent over a line that spoils one byte in a thousand, up to an update that is taken back", async () => {
    const board = await FirmwareBoard.start(name);
    await using world = await McuGateway.open(folder.file(`gateway-${name}`), {
      board,
      faults: oneInAThousand,
      attestation: { method: "symmetric_key", registration_id: registrationId, symmetric_key: "mcu:" },
      enroll: ({ dps }) =>
        dps.enroll({ registrationId, attestation: { method: "symmetric_key", primaryKey: symmetricKey } }),
    });
    await world.agent.start();
    const first = await world.reported(({ connected }) => connected === true);
    expect(first).toMatchObject({ registrationId, firmware: { version: "1.0.0", confirmed: true } });

    world.hub.updateDesired(registrationId, { mcu: { sampling: { period_ms: 200 }, colour: "red" } });
    expect(await world.reported(({ colour }) => colour !== undefined)).toMatchObject({
      sampling: { period_ms: { value: 200, ac: 200 } },
      colour: { value: "red", ac: 404 },
    });
    for (let call = 1; call <= 10; call++) {
      expect(await world.call("count")).toMatchObject({ status: 200, payload: { count: call } });
    }
    const messages = await world.messages(10);
    const [boot] = messages[0]?.messageId?.split("-").slice(1) ?? [];
    expect(messages.map(({ messageId }) => messageId)).toEqual(messages.map((_, n) => `mcu-${boot}-${n}`));

    const good = makeMcuImage({ version: "1.1.0", codeBytes: 4_096 });
    const bad = makeMcuImage({ version: "1.2.0", codeBytes: 4_096, start: "crashes" });
    await world.offer("good.bin", good);
    await world.offer("bad.bin", bad);
    expect(await world.call("updateMcu", { file: "good.bin", sha256: sha256(good) })).toMatchObject({ status: 202 });
    await world.reported(({ update }) => isJsonObject(update) && update.state === "updated");
    expect(await world.call("updateMcu", { file: "bad.bin", sha256: sha256(bad) })).toMatchObject({ status: 202 });
    const { update } = await world.reported(
      ({ update }) => isJsonObject(update) && update.version === "1.2.0" && update.state === "failed",
    );
    expect(update).toMatchObject({ error: { code: "firmware.reverted" } });
    expect(await world.call("measure")).toMatchObject({ status: 200 });
    expect(world.connections).toBe(1);
    const ids = world.telemetry.map(({ messageId }) => messageId);
    expect(new Set(ids).size).toBe(ids.length);
  }, 180_000);

  test.skipIf(lacks("cc"))("signs for TLS when the gateway's certificate is in it", async () => {
    const board = await FirmwareBoard.start(name);
    await using emulator = await Emulator.start({ retryAfterSeconds: 1 });
    emulator.dps.enroll({ registrationId, attestation: { method: "x509", certificate } });
    const env = { LANDFALL_ENGINES: folder.file("engines") };
    await mkdir(env.LANDFALL_ENGINES, { recursive: true });
    const built = await landfall(["keys", "engine", "--directory", env.LANDFALL_ENGINES], { env });
    expect(built).toMatchObject({ code: 0 });
    const file = await writeConfiguration(folder, `x509-${name}`, {
      provisioning: {
        source: "dps",
        id_scope: emulator.ready.idScope,
        attestation: { method: "x509", identity_cert: "mcu:", identity_pk: "mcu:" },
      },
      network: networkOf(emulator),
      mcu: { port: `unix:${board.socket}` },
    });
    try {
      await using running = startLandfall(["run", "-c", file, "--json"], { env });
      await running.event("connected");
      expect(emulator.hub().connections).toMatchObject([{ deviceId: registrationId, credential: "certificate" }]);
      await running.json(({ event, kind }) => event === "telemetry-acknowledged" && kind === "mcu");
      running.kill("SIGTERM");
      expect(await running.exited).toBe(0);
    } finally {
      await board.close();
    }
  });
});
