import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { Agent } from "../../src/agent/agent.ts";
import { type DutyEvent, startDuties } from "../../src/agent/duties.ts";
import { systemClock } from "../../src/clock.ts";
import type { Settings } from "../../src/config/settings.ts";
import { settingsFrom } from "../../src/config/settings-from.ts";
import type { Configuration } from "../../src/config/settings-schema.ts";
import { Emulator, type Hub, type MethodResult, type ReceivedTelemetry } from "../../src/emulator/index.ts";
import { seededRandom } from "../../src/emulator/randomness.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../src/json.ts";
import { createLogger, type LogRecord } from "../../src/log.ts";
import { FaultyLink, type LinkFaults } from "../../src/testing/faulty-link.ts";
import { Sightings } from "../../src/testing/sightings.ts";
import { networkOf } from "./emulated-device.ts";
import { PseudoTerminal } from "./pseudo-terminal.ts";

/** One byte in a thousand goes wrong. */
export const oneInAThousand: LinkFaults = { corruption: 0.0004, loss: 0.0003, duplication: 0.0003 };

/** A board at the far end of a serial line. */
export interface Board {
  readonly registrationId: string;
  /** Connects the board to what the line brings it, and the line to what the board says. */
  attach(line: Duplex): void;
  close(): Promise<void> | void;
}

/** How a gateway is made. */
export interface McuGatewayOptions {
  readonly board: Board;
  /** `[provisioning.attestation]`; the emulator knows an enrollment that fits. */
  readonly attestation: object;
  readonly transport?: "mqtt" | "https";
  readonly faults?: LinkFaults;
  /** Same seed, same faults. */
  readonly seed?: number;
  readonly enroll: (emulator: Emulator) => unknown;
}

/**
 * Emulated services, an agent with its duties, and a board on a real serial device, over a line as good or bad as a test
 * wants it:
 *
 *   emulator ── TLS ── agent ── serialport ── pty ── FaultyLink ── board
 */
export class McuGateway implements AsyncDisposable {
  readonly emulator: Emulator;
  readonly agent: Agent;
  readonly board: Board;
  readonly events = new Sightings<DutyEvent>();
  /** Where the images for `updateMcu` are. */
  readonly firmware: string;
  readonly #options: McuGatewayOptions;
  readonly #path: string;
  readonly #ending = new AbortController();
  readonly records: LogRecord[];
  #terminal: PseudoTerminal | undefined;
  #link: FaultyLink | undefined;
  #duties: Promise<void> | undefined;

  /** @param folder of this gateway alone */
  static async open(folder: string, options: McuGatewayOptions): Promise<McuGateway> {
    await mkdir(folder);
    const emulator = await Emulator.start({ retryAfterSeconds: 1 });
    options.enroll(emulator);
    const [path, firmware] = [join(folder, "tty-mcu"), join(folder, "firmware")];
    await mkdir(firmware);
    const terminal = await PseudoTerminal.open(path);
    const records: LogRecord[] = [];
    const loaded = await settingsFrom({
      provisioning: {
        source: "dps",
        id_scope: emulator.ready.idScope,
        transport: options.transport ?? "mqtt",
        attestation: options.attestation,
      },
      network: networkOf(emulator),
      telemetry: { interval: 0 },
      mcu: { port: path, firmware_directory: firmware },
      state: { directory: join(folder, "state") },
    } as Configuration);
    const parts = { emulator, path, firmware, terminal, records, settings: loaded.settings };
    const link = plug(terminal, options);
    const log = createLogger("debug", (record) => records.push(record));
    const agent = await Agent.fromSettings(loaded, { log });
    return new McuGateway(options, agent, { ...parts, link });
  }

  private constructor(
    options: McuGatewayOptions,
    agent: Agent,
    parts: {
      readonly emulator: Emulator;
      readonly path: string;
      readonly firmware: string;
      readonly terminal: PseudoTerminal;
      readonly records: LogRecord[];
      readonly settings: Settings;
      readonly link: FaultyLink;
    },
  ) {
    this.#options = options;
    this.agent = agent;
    this.board = options.board;
    this.emulator = parts.emulator;
    this.firmware = parts.firmware;
    this.records = parts.records;
    this.#path = parts.path;
    this.#terminal = parts.terminal;
    this.#link = parts.link;
    const log = createLogger("debug", (record) => parts.records.push(record));
    const tell = (event: DutyEvent): void => this.events.add(event);
    const duties = { settings: parts.settings, clock: systemClock, log, tell };
    this.#duties = startDuties(agent, duties, { signal: this.#ending.signal });
  }

  get hub(): Hub {
    return this.emulator.hub();
  }

  /** The messages of the MCU that the hub has, in their order. */
  get telemetry(): readonly ReceivedTelemetry[] {
    return this.hub.received.filter(({ messageId }) => messageId?.startsWith("mcu-"));
  }

  /** Bytes that the line damaged since it was plugged. */
  get damagedBytes(): number {
    return this.#link?.damagedBytes ?? 0;
  }

  /** How often the device has connected to the hub. */
  get connections(): number {
    return this.hub.connections.filter(({ deviceId }) => deviceId === this.board.registrationId).length;
  }

  /** The first `count` messages of the MCU at the hub, once they are there. */
  async messages(count: number): Promise<readonly ReceivedTelemetry[]> {
    const found: ReceivedTelemetry[] = [];
    for await (const message of this.hub.telemetry()) {
      if (message.messageId?.startsWith("mcu-")) found.push(message);
      if (found.length >= count) break;
    }
    return found;
  }

  /** The first event that fits, once it was told. */
  async event(fits: (event: DutyEvent) => boolean): Promise<DutyEvent> {
    for (let count = 1; ; count++) {
      const event = await this.events.nth(count);
      if (fits(event)) return event;
    }
  }

  /** Calls a direct method. */
  call(name: string, payload?: JsonValue): Promise<MethodResult> {
    return this.hub.invokeMethod(this.board.registrationId, name, payload);
  }

  /** What the twin reports of the MCU, once it fits. */
  async reported(fits: (mcu: JsonObject) => boolean): Promise<JsonObject> {
    for await (const { kind } of this.emulator.events.watch()) {
      if (kind !== "hub.reported") continue;
      const { mcu } = this.hub.twin(this.board.registrationId).reported;
      if (isJsonObject(mcu) && fits(mcu)) return mcu;
    }
    throw new Error("the emulator was closed");
  }

  /** Puts an image where `updateMcu` looks for it. */
  async offer(name: string, image: Uint8Array): Promise<void> {
    await writeFile(join(this.firmware, name), image);
  }

  async unplug(): Promise<void> {
    await this.#terminal?.close();
    this.#link?.hangUp();
  }

  async plug(): Promise<void> {
    this.#terminal = await PseudoTerminal.open(this.#path);
    this.#link = plug(this.#terminal, this.#options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort(new Error("the test is over"));
    await this.agent.close();
    await this.#duties;
    await this.board.close();
    await this.unplug();
    await this.emulator.close();
  }
}

function plug(terminal: PseudoTerminal, { board, faults, seed = 1 }: McuGatewayOptions): FaultyLink {
  const link = new FaultyLink({ ...faults, random: seededRandom(seed) });
  board.attach(link.far);
  for (const end of [link.near, terminal.stream]) end.on("error", () => {});
  terminal.stream.pipe(link.near).pipe(terminal.stream);
  return link;
}
