import { createHash, randomBytes } from "node:crypto";
import { EventEmitter, once } from "node:events";
import type { Duplex } from "node:stream";
import { untilAborted } from "../src/abort.ts";
import { type Clock, systemClock } from "../src/clock.ts";
import { deferred } from "../src/deferred.ts";
import { checkOptions } from "./check-options.ts";
import { Firmware } from "./firmware.ts";
import { BoardMemory, type MadeBoard } from "./flash/board-memory.ts";
import { FileFlash } from "./flash/file-flash.ts";
import type { Flash } from "./flash/flash.ts";
import { MemoryFlash } from "./flash/memory-flash.ts";
import { type Identity, readIdentity } from "./identity/identity.ts";
import { type BootedBoard, bootFrom } from "./image/bootloader.ts";
import { versionText } from "./image/image-format.ts";
import type { StoredImage } from "./image/stored-image.ts";
import { type Misbehaviour, MisbehaviourPlan } from "./misbehaviour.ts";
import type { SimulatedMcuOptions } from "./options.ts";
import { usualSettings } from "./settings.ts";
import type { SimulatedMcuEvents } from "./simulated-mcu-events.ts";
import type { TelemetryMessage } from "./telemetry.ts";

/** An image that crashes does so after so long, in milliseconds. */
const crashMs = 50;

/** What nobody takes from the line is lost from here on, in bytes: a UART has no memory. */
const mostUnreadBytes = 16_384;

/** What runs, and since when. */
interface Life {
  readonly firmware: Firmware;
  readonly boot: number;
  readonly version: string;
}

/**
 * A board with a microcontroller: flash that lasts, a bootloader, firmware that lives from start to reset, one line. It is
 * under power from the beginning. Throws `simulator.rejected` for options that no board can have.
 *
 *   line ⇄ Firmware (one life) ── slots, record ── Flash
 *             ▲ started by the bootloader after every reset
 */
export class SimulatedMcu extends EventEmitter<SimulatedMcuEvents> {
  readonly #options: SimulatedMcuOptions;
  readonly #clock: Clock;
  readonly #flash: Flash;
  readonly #ownFlash: FileFlash | undefined;
  readonly #misbehaviour = new MisbehaviourPlan();
  readonly #made: MadeBoard;
  readonly #identity: Identity;
  #power = new AbortController();
  #closed = false;
  #life: Life | undefined;
  #line: Duplex | undefined;

  constructor(options: SimulatedMcuOptions = {}) {
    super();
    checkOptions(options);
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#ownFlash = typeof options.flash === "string" ? FileFlash.open(options.flash) : undefined;
    const given = typeof options.flash === "object" ? options.flash : new MemoryFlash();
    this.#flash = this.#ownFlash ?? given;
    this.#made = this.#make();
    this.#identity = this.#readIdentity();
    this.#start();
  }

  /** As the cloud has to know it. */
  get registrationId(): string {
    return this.#identity.registrationId;
  }

  /** The symmetric key, base64, as it has to be enrolled; undefined for an MCU without. */
  get symmetricKey(): string | undefined {
    const key = this.#identity.symmetricKey;
    return key && Buffer.from(key).toString("base64");
  }

  /** Whether the firmware is running: not while power is off, the bootloader works, or it hangs. */
  get isRunning(): boolean {
    return this.#life !== undefined;
  }

  /** Tells the running firmware's life from every other; undefined while none runs. */
  get boot(): number | undefined {
    return this.#life?.boot;
  }

  /** Version of the running image, such as `1.0.0`; undefined while none runs. */
  get version(): string | undefined {
    return this.#life?.version;
  }

  /** Resolves while the firmware runs, or once it does. Rejects with `signal.reason`. */
  async whenRunning({ signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<void> {
    const waiting = new AbortController();
    try {
      while (!this.isRunning) await untilAborted(once(this, "started", { signal: waiting.signal }), signal);
    } finally {
      waiting.abort();
    }
  }

  /** Makes `line` the one that the MCU is on: what it reads there is received, what it says is written there. */
  attach(line: Duplex): void {
    const former = this.#line;
    this.#line = line;
    former?.destroy();
    line.on("data", (chunk: Buffer) => {
      if (this.#line === line) this.#life?.firmware.receive(chunk);
    });
    line.on("error", () => {});
    line.once("close", () => {
      if (this.#line === line) this.#line = undefined;
    });
  }

  /** Has something go wrong; several are looked through in their order. */
  misbehave(misbehaviour: Misbehaviour): void {
    this.#misbehaviour.add(misbehaviour);
  }

  /** Forgets whatever should go wrong. */
  behave(): void {
    this.#misbehaviour.clear();
  }

  /** Sends a message for the hub beside those of the sensors, once the gateway allows it. Lost when the firmware ends before. */
  push(data: TelemetryMessage["data"], props?: Readonly<Record<string, string>>): void {
    this.#life?.firmware.push(props === undefined ? { data } : { data, props });
  }

  /** Takes power away: whatever it was doing ends there, and only flash remains. */
  cutPower(): void {
    if (this.#power.signal.aborted) return;
    this.#power.abort();
    this.#end("power cut");
  }

  /** Gives power again. */
  restorePower(): void {
    if (this.#closed || !this.#power.signal.aborted) return;
    this.#power = new AbortController();
    this.#start();
  }

  /** Takes power away for good, and lets go of line and flash. May be called more than once. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.cutPower();
    this.#line?.destroy();
    this.#ownFlash?.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #start(): void {
    const { signal } = this.#power;
    this.#run(signal).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
  }

  /** From one reset to the next, while there is power. */
  async #run(power: AbortSignal): Promise<void> {
    const { startMs = 0, watchdogMs = 1_000 } = this.#options;
    for (;;) {
      if (startMs > 0) await this.#clock.sleep(startMs, { signal: power });
      const booted = bootFrom(this.#flash, () => this.#made);
      if (booted.did !== "as before") this.#print(`bootloader: the image was ${booted.did}`);
      const why = await this.#runImage(booted, power);
      if (why === "watchdog") await this.#clock.sleep(watchdogMs, { signal: power });
      if (why === "crash") await this.#clock.sleep(crashMs, { signal: power });
      this.#end(why);
    }
  }

  async #runImage({ image, ...board }: BootedBoard, power: AbortSignal): Promise<"reset" | "crash" | "watchdog"> {
    if (image === undefined || image.start === "hangs") return "watchdog";
    if (image.start === "crashes") return "crash";
    const ended = deferred<"reset" | "watchdog">();
    const onEnd = (why: "reset" | "hang"): void => {
      if (why === "hang") this.#life = undefined;
      ended.resolve(why === "hang" ? "watchdog" : why);
    };
    this.#life = this.#newLife(board, image, onEnd);
    const { boot, version } = this.#life;
    this.emit("started", { boot, version });
    return untilAborted(ended.promise, power);
  }

  #newLife(
    board: Pick<BootedBoard, "memory" | "slots">,
    image: StoredImage,
    onEnd: (why: "reset" | "hang") => void,
  ): Life {
    const { serial, starts } = board.memory.content;
    const version = versionText(image.version);
    const boot = (serial + starts) >>> 0;
    const { board: boardName = "landfall-mcu-sim", bufferBytes = 1_024, eraseMs = 0 } = this.#options;
    const firmware = new Firmware({
      board,
      version,
      boot,
      identity: this.#identity,
      boardName,
      bufferBytes,
      eraseMs,
      settings: { ...usualSettings, ...this.#options.settings },
      commands: this.#options.commands ?? {},
      clock: this.#clock,
      misbehaviour: this.#misbehaviour,
      write: (bytes) => this.#write(bytes),
      tell: (name, ...what) => void this.emit(name, ...(what as never)),
      onEnd,
    });
    return { firmware, boot, version };
  }

  #end(why: SimulatedMcuEvents["ended"][0]): void {
    this.#life?.firmware.stop();
    this.#life = undefined;
    this.emit("ended", why);
  }

  #print(text: string): void {
    this.#write(Buffer.from(`${text}\r\n`));
  }

  #write(bytes: Uint8Array): void {
    const line = this.#line;
    if (line?.writable && line.writableLength < mostUnreadBytes) line.write(bytes);
  }

  #readIdentity(): Identity {
    try {
      const { key } = new BoardMemory(this.#flash, () => this.#made).content;
      return readIdentity(this.#options.identity ?? {}, key);
    } catch (error) {
      this.#ownFlash?.close();
      throw error;
    }
  }

  #make(): MadeBoard {
    const { seed } = this.#options;
    const drawn = seed === undefined ? randomBytes(36) : createHash("sha512").update(`board ${seed}`).digest();
    return { serial: drawn.readUInt32BE(32), key: Uint8Array.from(drawn.subarray(0, 32)) };
  }
}
