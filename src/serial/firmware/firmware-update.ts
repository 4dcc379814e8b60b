import type { Clock } from "../../clock.ts";
import { withDeadline } from "../../deadline.ts";
import { describeCause, isLandfallError, LandfallError } from "../../errors.ts";
import { IdentityGroup } from "../groups/identity-group.ts";
import { ImageGroup } from "../groups/image-group.ts";
import { OsGroup } from "../groups/os-group.ts";
import { ifTold } from "../if-told.ts";
import type { SmpCallOptions, SmpClient } from "../smp-client.ts";
import { SmpRefusal } from "../smp-faults.ts";
import type { FirmwareImage } from "./image-file.ts";
import { type UploadProgress, uploadImage } from "./image-upload.ts";
import {
  beginUpdate,
  nextUpdateStep,
  type UpdateEffect,
  type UpdateInput,
  type UpdatePhase,
} from "./update-machine.ts";
import { activeSlot } from "./update-plan.ts";

/** Resolves when the new firmware is well; rejects with what is wrong with it, or is not right yet. */
export type HealthCheck = (client: SmpClient, options: SmpCallOptions) => Promise<void>;

/** What an update tells while it goes on. */
export type UpdateProgress =
  | { readonly kind: "phase"; readonly phase: UpdatePhase }
  | ({ readonly kind: "upload" } & UploadProgress);

/** Settings of {@link updateFirmware}. */
export interface FirmwareUpdateOptions extends SmpCallOptions {
  readonly clock: Clock;
  /** Whether an image may be older than the running one. Default: no. */
  readonly allowDowngrade?: boolean;
  /** Default: the MCU answers an echo, and is who it was before. */
  readonly healthCheck?: HealthCheck;
  /** How long the MCU may take to come back after a reset, in milliseconds. Default 120 000: swapping slots takes its time. */
  readonly restartTimeoutMs?: number;
  /** How long the new firmware may take to become healthy, in milliseconds. Default 30 000. */
  readonly healthTimeoutMs?: number;
  readonly onProgress?: (progress: UpdateProgress) => void;
}

/** How an update ended well. */
export interface FirmwareUpdateResult {
  readonly outcome: "updated" | "already-running";
  /** Version that ran before; absent when the MCU did not tell of one. */
  readonly from: string | undefined;
}

const defaults = { restartTimeoutMs: 120_000, healthTimeoutMs: 30_000 };

/** How often an MCU that restarts, or is not healthy yet, is asked, in milliseconds; and how long one asking may take. */
const asking = { everyMs: 500, timeoutMs: 2_000 };

/** The image group's codes for a slot that cannot take an image: none free, one pending already, too large. */
const noRoom = new Set([9, 28, 30]);

/**
 * Brings an MCU to an image: upload, test start, health check, confirmation. When the new image does not come back healthy
 * the MCU is sent back to the former one. Whatever interrupts it, calling it again takes up where it was.
 * Rejects with `firmware.reverted`, `firmware.lost`, `firmware.wrong-board`, `firmware.downgrade`, `firmware.no-room`, and
 * with the `smp.*` error that stood in the way.
 */
export async function updateFirmware(
  client: SmpClient,
  image: FirmwareImage,
  options: FirmwareUpdateOptions,
): Promise<FirmwareUpdateResult> {
  const run = new UpdateRun(client, image, options);
  let { state, effect } = beginUpdate(image, options.allowDowngrade ?? false);
  for (let told: UpdatePhase | undefined; effect.kind !== "finish"; ) {
    if (told !== state.phase) options.onProgress?.({ kind: "phase", phase: state.phase });
    told = state.phase;
    ({ state, effect } = nextUpdateStep(state, await run.perform(effect)));
  }
  if (effect.outcome.kind === "failed") throw effect.outcome.error;
  return { outcome: effect.outcome.kind, from: run.from };
}

/** Does what the machine asks for. */
class UpdateRun {
  /** Version that ran before. */
  from: string | undefined;
  readonly #client: SmpClient;
  readonly #image: FirmwareImage;
  readonly #options: FirmwareUpdateOptions;
  readonly #images: ImageGroup;
  readonly #os: OsGroup;
  #registrationId: string | undefined;
  #resetAtMs = 0;

  constructor(client: SmpClient, image: FirmwareImage, options: FirmwareUpdateOptions) {
    this.#client = client;
    this.#image = image;
    this.#options = options;
    this.#images = new ImageGroup(client);
    this.#os = new OsGroup(client);
  }

  async perform({ kind }: Exclude<UpdateEffect, { kind: "finish" }>): Promise<UpdateInput> {
    const { signal } = this.#options;
    switch (kind) {
      case "read-slots":
        return this.#inspect();
      case "upload":
        await this.#upload();
        return { kind: "done" };
      case "mark":
        await this.#images.test(this.#image.hash, { signal });
        return { kind: "done" };
      case "reset":
        return this.#reset();
      case "await-start":
        return this.#awaitStart();
      case "check":
        return this.#check();
      case "confirm":
        return this.#confirm();
    }
  }

  async #inspect(): Promise<UpdateInput> {
    const { signal } = this.#options;
    const slots = await this.#images.slots({ signal });
    this.from ??= activeSlot(slots)?.version;
    const identity = await ifTold(new IdentityGroup(this.#client).identity({ signal }));
    this.#registrationId ??= identity?.registrationId;
    return { kind: "slots", slots, board: await ifTold(this.#os.info("i", { signal })) };
  }

  async #upload(): Promise<void> {
    const { clock, signal, onProgress } = this.#options;
    const tell = (progress: UploadProgress): void => onProgress?.({ kind: "upload", ...progress });
    try {
      await uploadImage(this.#client, this.#image.bytes, { clock, signal, onProgress: tell });
    } catch (cause) {
      if (!(cause instanceof SmpRefusal) || cause.fault.group !== 1 || !noRoom.has(cause.fault.rc)) throw cause;
      throw new LandfallError("firmware.no-room", cause.message, { cause });
    }
  }

  async #reset(): Promise<UpdateInput> {
    this.#resetAtMs = this.#options.clock.elapsed();
    try {
      await this.#os.reset({ signal: this.#options.signal });
    } catch (error) {
      // No answer, or a port that went with the MCU: it may well have restarted.
      if (!isLandfallError(error) || (error.code !== "smp.timeout" && error.code !== "serial.unplugged")) throw error;
    }
    return { kind: "done" };
  }

  async #awaitStart(): Promise<UpdateInput> {
    const { clock, signal, restartTimeoutMs = defaults.restartTimeoutMs } = this.#options;
    const untilMs = this.#resetAtMs + restartTimeoutMs;
    while (clock.elapsed() < untilMs) {
      await clock.sleep(asking.everyMs, { signal });
      const slots = await this.#attempt((limit) => this.#images.slots({ signal: limit }));
      if (!(slots instanceof Error)) return { kind: "slots", slots };
    }
    return { kind: "out-of-time" };
  }

  async #check(): Promise<UpdateInput> {
    const { clock, signal, healthTimeoutMs = defaults.healthTimeoutMs, healthCheck } = this.#options;
    const check = healthCheck ?? ((client, options) => this.#answersAsBefore(client, options));
    const untilMs = clock.elapsed() + healthTimeoutMs;
    for (;;) {
      const leftMs = untilMs - clock.elapsed();
      const failure = await this.#attempt((limit) => check(this.#client, { signal: limit }), Math.max(leftMs, 1));
      if (failure === undefined) return { kind: "done" };
      if (clock.elapsed() + asking.everyMs >= untilMs) return { kind: "failed", why: describeCause(failure) };
      await clock.sleep(asking.everyMs, { signal });
    }
  }

  async #answersAsBefore(client: SmpClient, options: SmpCallOptions): Promise<void> {
    await new OsGroup(client).echo("landfall", options);
    if (this.#registrationId === undefined) return;
    const { registrationId } = await new IdentityGroup(client).identity(options);
    if (registrationId === this.#registrationId) return;
    const found = `expected the registration id ${this.#registrationId}, got ${registrationId}`;
    throw new LandfallError("smp.malformed", found);
  }

  async #confirm(): Promise<UpdateInput> {
    const { signal } = this.#options;
    try {
      await this.#images.confirm(this.#image.hash, { signal });
      return { kind: "slots", slots: await this.#images.slots({ signal }) };
    } catch (error) {
      signal?.throwIfAborted();
      return { kind: "failed", why: describeCause(error) };
    }
  }

  /** What came of it, errors included; rejects only when the caller has had enough. */
  async #attempt<T>(work: (signal: AbortSignal) => Promise<T>, ms: number = asking.timeoutMs): Promise<T | Error> {
    const { clock, signal } = this.#options;
    const expired = (): Error => new LandfallError("smp.timeout", `no answer in ${Math.round(ms)} ms`);
    try {
      return await withDeadline(work, { clock, ms, signal, expired });
    } catch (error) {
      signal?.throwIfAborted();
      return error instanceof Error ? error : new Error(describeCause(error));
    }
  }
}
