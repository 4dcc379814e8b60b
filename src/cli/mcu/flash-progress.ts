import type { Clock } from "../../clock.ts";
import type { UpdateProgress } from "../../serial/firmware/firmware-update.ts";
import type { UploadProgress } from "../../serial/firmware/image-upload.ts";
import type { UpdatePhase } from "../../serial/firmware/update-machine.ts";
import { plainLine } from "../plain-text.ts";
import type { TextSink } from "../terminal.ts";
import { TransferRate } from "./transfer-rate.ts";

const phases: Readonly<Record<UpdatePhase, string>> = {
  inspecting: "asking the MCU what it runs",
  uploading: "uploading",
  verifying: "checking what arrived",
  marking: "marking the image for a test start",
  restarting: "restarting the MCU",
  checking: "checking that the new firmware is healthy",
  confirming: "confirming the new firmware",
  reverting: "going back to the former firmware",
};

/** How often the bar is drawn at most, in milliseconds. */
const redrawMs = 100;

/** Shows how an update goes on: a bar on a terminal, a line for every tenth elsewhere. */
export class FlashProgress {
  readonly #sink: TextSink;
  readonly #clock: Clock;
  readonly #rate: TransferRate;
  #barShown = false;
  #drawnAtMs = Number.NEGATIVE_INFINITY;
  #tenths = 0;

  constructor(sink: TextSink, clock: Clock) {
    this.#sink = sink;
    this.#clock = clock;
    this.#rate = new TransferRate(clock);
  }

  /** Shows a step. */
  tell(progress: UpdateProgress): void {
    if (progress.kind === "phase") this.note(phases[progress.phase]);
    else this.#upload(progress);
  }

  /** Shows a line of text. */
  note(text: string): void {
    this.end();
    this.#sink.write(`${plainLine(text)}\n`);
  }

  /** Leaves the bar as it is and goes to the next line. */
  end(): void {
    if (this.#barShown) this.#sink.write("\n");
    this.#barShown = false;
  }

  #upload(progress: UploadProgress): void {
    const { receivedBytes, totalBytes } = progress;
    this.#rate.reached(receivedBytes);
    const isLast = receivedBytes === totalBytes;
    if (this.#sink.isTTY) {
      if (!isLast && this.#clock.elapsed() - this.#drawnAtMs < redrawMs) return;
      this.#drawnAtMs = this.#clock.elapsed();
      this.#barShown = true;
      this.#sink.write(`\r\x1b[K${this.#bar(progress)}`);
      return;
    }
    const tenths = Math.floor((receivedBytes * 10) / totalBytes);
    if (tenths === this.#tenths) return;
    this.#tenths = tenths;
    this.#sink.write(`${this.#figures(progress)}\n`);
  }

  #bar(progress: UploadProgress): string {
    const figures = this.#figures(progress);
    const width = Math.min(40, this.#sink.columns - figures.length - 4);
    if (width < 5) return figures;
    const filled = Math.round((width * progress.receivedBytes) / progress.totalBytes);
    return `[${"#".repeat(filled)}${" ".repeat(width - filled)}] ${figures}`;
  }

  #figures({ receivedBytes, totalBytes }: UploadProgress): string {
    const percent = `${Math.floor((receivedBytes * 100) / totalBytes)} %`;
    const rate = this.#rate.bytesPerSecond;
    const left = this.#rate.secondsFor(totalBytes - receivedBytes);
    return [
      percent.padStart(5),
      `${(receivedBytes / 1024).toFixed(1)} of ${(totalBytes / 1024).toFixed(1)} KiB`,
      ...(rate === undefined ? [] : [`${(rate / 1024).toFixed(1)} KiB/s`]),
      ...(left === undefined || receivedBytes === totalBytes ? [] : [`${timeText(left)} left`]),
    ].join("  ");
  }
}

function timeText(seconds: number): string {
  const whole = Math.ceil(seconds);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}
