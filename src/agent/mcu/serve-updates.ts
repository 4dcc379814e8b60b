import { whenAborted } from "../../abort.ts";
import { describeCause, isLandfallError } from "../../errors.ts";
import type { JsonObject } from "../../json.ts";
import {
  type FirmwareUpdateResult,
  type UpdateProgress,
  updateFirmware,
} from "../../serial/firmware/firmware-update.ts";
import { type FirmwareImage, imageVersionText } from "../../serial/firmware/image-file.ts";
import type { MethodResponse } from "../../transport/messages.ts";
import type { Agent } from "../agent.ts";
import type { McuDuty, McuEvent } from "./mcu-duty.ts";
import { mcuComponent } from "./mcu-settings.ts";
import { reportOrWarn } from "./report-or-warn.ts";
import { readOrderedImage, readUpdateOrder, type UpdateOrder } from "./update-order.ts";

/** What {@link serveUpdates} works with. */
export interface UpdateDuty extends McuDuty {
  /** Where the images are. */
  readonly directory: string;
  readonly tell: (event: McuEvent) => void;
}

/** Name of the direct method. */
export const updateMethod = "updateMcu";

/** The twin is told of each so many percent of an upload. */
const tellPercent = 20;

/**
 * Answers the direct method `updateMcu`: checks the image, answers 202, and brings the MCU to it, which the twin's
 * `mcu.update` tells of. Answers 400 for another payload or image than the one that was ordered, 409 while an update goes on.
 * Resolves when the duty's signal has aborted and no update is under way. Rejects with
 * `hub.method-exists`.
 */
export async function serveUpdates(agent: Pick<Agent, "onMethod" | "report">, duty: UpdateDuty): Promise<void> {
  const { directory, signal } = duty;
  let underWay: Promise<void> | undefined;
  let isTaken = false;
  const answer = async (payload: Parameters<typeof readUpdateOrder>[0]): Promise<MethodResponse> => {
    const order = readUpdateOrder(payload);
    if ("expected" in order) return { status: 400, payload: { error: `expected ${order.expected}` } };
    if (isTaken) return { status: 409, payload: { error: "an update is under way" } };
    isTaken = true;
    try {
      const image = await readOrderedImage(directory, order);
      underWay = new UpdateReport(agent, duty, image).run(order).finally(() => {
        isTaken = false;
      });
      return { status: 202, payload: { version: imageVersionText(image) } };
    } catch (error) {
      isTaken = false;
      return { status: 400, payload: { error: messageOf(error) } };
    }
  };
  using _ = agent.onMethod(updateMethod, ({ payload }) => answer(payload));
  await whenAborted(signal);
  await underWay;
}

/** One update, and what the twin is told of it: one report at a time, of what is true by then. */
class UpdateReport {
  readonly #agent: Pick<Agent, "report">;
  readonly #duty: UpdateDuty;
  readonly #image: FirmwareImage;
  #state: JsonObject = {};
  #reporting: Promise<void> | undefined;
  #isStale = false;

  constructor(agent: Pick<Agent, "report">, duty: UpdateDuty, image: FirmwareImage) {
    this.#agent = agent;
    this.#duty = duty;
    this.#image = image;
  }

  /** Never rejects. */
  async run({ file, allowDowngrade }: UpdateOrder): Promise<void> {
    const { link, clock, signal, log } = this.#duty;
    try {
      // Of a former update nothing is left in the twin.
      this.#say({ file, state: "accepted", percent: null, error: null, from: null });
      const onProgress = (progress: UpdateProgress): void => this.#onProgress(progress);
      const result = await updateFirmware(link, this.#image, { clock, signal, allowDowngrade, onProgress });
      this.#say({ state: result.outcome, ...beforehand(result) });
    } catch (error) {
      if (signal.aborted) return;
      log.warn(`the MCU was not updated: ${describeCause(error)}`, { error });
      const code = isLandfallError(error) ? error.code : "firmware.unusable";
      this.#say({ state: "failed", error: { code, message: messageOf(error) } }, error);
    }
    await this.#reporting;
  }

  #onProgress(progress: UpdateProgress): void {
    if (progress.kind === "phase") {
      this.#say({ state: progress.phase });
      return;
    }
    const percent = Math.floor((100 * progress.receivedBytes) / progress.totalBytes / tellPercent) * tellPercent;
    if (percent !== this.#state.percent) this.#say({ percent });
  }

  #say(news: JsonObject, error?: unknown): void {
    const version = imageVersionText(this.#image);
    this.#state = { ...this.#state, ...news, version };
    if (typeof news.state === "string") {
      const why = error instanceof Error ? { error } : {};
      this.#duty.tell({ event: "mcu-update", state: news.state, version, ...why });
    }
    this.#isStale = true;
    this.#reporting ??= this.#report()
      .catch(() => {}) // the agent is ending
      .finally(() => {
        this.#reporting = undefined;
      });
  }

  async #report(): Promise<void> {
    while (this.#isStale) {
      this.#isStale = false;
      await reportOrWarn(this.#agent, { [mcuComponent]: { __t: "c", update: this.#state } }, this.#duty);
    }
  }
}

/** Without the code, which stands beside it. */
function messageOf(error: unknown): string {
  return isLandfallError(error) ? error.message : describeCause(error);
}

function beforehand({ from }: FirmwareUpdateResult): JsonObject {
  return from === undefined ? {} : { from };
}
