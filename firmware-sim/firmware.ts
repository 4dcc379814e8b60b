import { answerTo } from "./answer.ts";
import { type FirmwareSetting, firmwareGroups } from "./firmware-groups.ts";
import type { Group } from "./groups/group.ts";
import { telemetryAddress } from "./groups/telemetry-group.ts";
import type { Misbehaviour, MisbehaviourPlan } from "./misbehaviour.ts";
import { newStatistics } from "./statistics.ts";
import type { Telemetry, TelemetryMessage } from "./telemetry.ts";
import { ConsoleReader } from "./wire/console-reader.ts";
import { consoleLines } from "./wire/console-writer.ts";
import { composePacket, operation, type Packet, parsePacket } from "./wire/packet.ts";

/** What a life of the firmware works with. */
export interface FirmwareParts extends FirmwareSetting {
  readonly misbehaviour: MisbehaviourPlan;
  /** Puts bytes on the line. */
  readonly write: (bytes: Uint8Array) => void;
  /** The firmware resets the MCU, or does nothing any more. */
  readonly onEnd: (why: "reset" | "hang") => void;
}

/** One life of the firmware, from its start to a reset. Nothing of its memory lasts. */
export class Firmware {
  readonly #parts: FirmwareParts;
  readonly #statistics = newStatistics();
  readonly #reader: ConsoleReader;
  readonly #groups: readonly Group[];
  readonly #telemetry: Telemetry;
  readonly #ended = new AbortController();
  #work: Promise<void> = Promise.resolve();
  #resetAsked = false;

  constructor(parts: FirmwareParts) {
    this.#parts = parts;
    const { link } = this.#statistics;
    this.#reader = new ConsoleReader(parts.bufferBytes, {
      onPacket: (packet) => this.#receivePacket(packet),
      onDropped: () => {
        link.dropped += 1;
      },
    });
    const { groups, telemetry } = firmwareGroups(parts, {
      statistics: this.#statistics,
      signal: this.#ended.signal,
      reset: () => {
        this.#resetAsked = true;
        this.#log("reset asked for");
      },
      say: (message, sequence) => this.#say(message, sequence),
      log: (text) => this.#log(text),
    });
    this.#groups = groups;
    this.#telemetry = telemetry;
    this.#log(`landfall-mcu ${parts.version}`);
  }

  /** Bytes from the line. */
  receive(chunk: Uint8Array): void {
    if (!this.#ended.signal.aborted) this.#reader.take(chunk);
  }

  /** Sends a message beside those of the sensors. */
  push(message: Pick<TelemetryMessage, "data" | "props">): void {
    this.#telemetry.add(message);
  }

  /** Ends it in the middle of whatever it does. */
  stop(): void {
    this.#ended.abort();
  }

  #receivePacket(bytes: Buffer): void {
    const packet = parsePacket(bytes);
    if (packet === undefined) {
      this.#statistics.link.dropped += 1;
      return;
    }
    this.#statistics.link.received += 1;
    const { group, message } = telemetryAddress;
    if (packet.operation === operation.writeAnswer && packet.group === group && packet.command === message) {
      this.#telemetry.answered(packet.sequence, packet.body);
    }
    if (packet.operation === operation.read || packet.operation === operation.write) {
      // One at a time, as firmware does that has one thread.
      this.#work = this.#work.then(() => this.#serve(packet));
    }
  }

  async #serve(request: Packet): Promise<void> {
    const { misbehaviour, clock, tell, onEnd } = this.#parts;
    const { signal } = this.#ended;
    const wrong = signal.aborted ? undefined : misbehaviour.next(request);
    if (signal.aborted || wrong?.does === "lose-request") return;
    if (wrong?.does === "hang") {
      this.stop();
      onEnd("hang");
      return;
    }
    if (wrong?.does === "delay") await clock.sleep(wrong.delayMs ?? 1_000, { signal }).catch(() => {});
    if (signal.aborted) return;
    const { group, command, body = {} } = request;
    tell("asked", { operation: request.operation === operation.read ? "read" : "write", group, command, body });
    const answer = await this.#answer(request, wrong);
    if (signal.aborted) return;
    if (wrong?.does !== "lose-answer" && wrong?.does !== "reset") this.#sendAnswer(answer, wrong?.does);
    if (this.#resetAsked || wrong?.does === "reset") {
      this.stop();
      onEnd("reset");
    }
  }

  async #answer(request: Packet, wrong: Misbehaviour | undefined): Promise<Buffer> {
    const { link } = this.#statistics;
    if (wrong?.does === "refuse") {
      return composePacket({ ...request, operation: request.operation + 1 }, { rc: wrong.code ?? 10 });
    }
    const { packet, isFault } = await answerTo(request, this.#groups, {
      longestBytes: this.#parts.bufferBytes - 4,
      onFailure: (error) => {
        if (!this.#ended.signal.aborted) this.#log(`failed: ${String(error)}`);
      },
    });
    if (isFault) link.faults += 1;
    return packet;
  }

  #sendAnswer(answer: Buffer, wrong: Misbehaviour["does"] | undefined): void {
    if (wrong === "wrong-sequence") answer.writeUInt8((answer.readUInt8(6) + 1) % 256, 6);
    const lines = consoleLines(answer);
    if (wrong === "corrupt-answer") {
      // Still base64, and no longer the same.
      const first = lines[0] as Buffer;
      first[8] = first[8] === 0x41 ? 0x42 : 0x41;
    }
    if (wrong === "chatter") this.#sendAmongText(lines);
    else this.#send(lines);
    if (wrong === "repeat-answer") this.#send(lines);
  }

  #sendAmongText(lines: readonly Buffer[]): void {
    this.#statistics.link.sent += 1;
    this.#parts.write(Buffer.from("uart:~$ "));
    for (const line of lines) {
      this.#parts.write(line);
      this.#log("between the lines");
    }
  }

  #say(message: TelemetryMessage, sequence: number): void {
    const { group, message: command } = telemetryAddress;
    const header = { version: 1, operation: operation.write, group, sequence, command };
    this.#send(consoleLines(composePacket(header, { ...message })));
  }

  #send(lines: readonly Buffer[]): void {
    this.#statistics.link.sent += 1;
    this.#parts.write(Buffer.concat(lines));
  }

  /** A line for people, with the time since the start in seconds. */
  #log(text: string): void {
    const seconds = (this.#telemetry.uptimeMs / 1000).toFixed(3);
    this.#parts.write(Buffer.from(`[${seconds}] ${text}\r\n`));
  }
}
