import type { Clock } from "../../src/clock.ts";
import type { FirmwareImage } from "../../src/serial/firmware/image-file.ts";
import { imageVersionText, readImageFile } from "../../src/serial/firmware/image-file.ts";
import type { ScriptedMcu } from "./scripted-mcu.ts";
import { UploadTarget } from "./upload-target.ts";

interface Held {
  image: Pick<FirmwareImage, "hash"> & { readonly version: string };
  pending: boolean;
  confirmed: boolean;
}

/** How a new image behaves once it was started. */
export interface NewImage {
  /** `good`; `refused` by the bootloader; `dead`: silent until the watchdog resets it, if there is one. */
  start: "good" | "refused" | "dead";
  /** Milliseconds until the watchdog of a dead image bites. */
  watchdogMs: number;
  /** Whether it answers echo. */
  answers: boolean;
  /** Whether it lets itself be confirmed. */
  confirms: boolean;
}

/** Two slots that swap, as far as the tests of the update flow need them. */
export class ScriptedBootloader {
  readonly target: UploadTarget;
  readonly behaviour: NewImage = { start: "good", watchdogMs: 10_000, answers: true, confirms: true };
  /** How many resets are lost before one is heard. */
  deafTo = 0;
  resets = 0;
  running: Held;
  other: Held | undefined;
  readonly #mcu: ScriptedMcu;
  readonly #clock: Clock;
  #up = true;

  constructor(mcu: ScriptedMcu, clock: Clock, running: FirmwareImage) {
    this.#mcu = mcu;
    this.#clock = clock;
    this.running = { image: held(running), pending: false, confirmed: true };
    this.target = new UploadTarget(mcu);
    const take = mcu.answers.get("1/1");
    mcu.on("1/1", async (packet) => {
      const answer = await take?.(packet);
      if (this.target.received.length === this.#length(packet.body)) {
        this.other = { image: held(readImageFile(this.target.received)), pending: false, confirmed: false };
      }
      return answer;
    });
    mcu.on("1/0", ({ operation, body }) => {
      if (operation === "write") {
        const refusal = this.#setState(body.hash as Uint8Array | undefined, body.confirm === true);
        if (refusal) return this.#up ? refusal : undefined;
      }
      return this.#up ? { images: this.#slots() } : undefined;
    });
    mcu.on("0/5", () => this.#reset());
    mcu.on("0/0", ({ body }) =>
      this.#up && (this.#isOld() || this.behaviour.answers) ? { r: body.d ?? "" } : undefined,
    );
  }

  #wanted = 0;
  #length(body: { readonly [name: string]: unknown }): number {
    if (typeof body.len === "number") this.#wanted = body.len;
    return this.#wanted;
  }

  #isOld(): boolean {
    return this.running.confirmed;
  }

  #setState(hash: Uint8Array | undefined, confirm: boolean) {
    if (confirm) {
      if (!this.#isOld() && !this.behaviour.confirms) return { err: { group: 1, rc: 32 } };
      this.running.confirmed = true;
      return undefined;
    }
    if (!this.other || !Buffer.from(hash ?? []).equals(this.other.image.hash)) return { err: { group: 1, rc: 8 } };
    this.other.pending = true;
    return undefined;
  }

  #slots() {
    const entry = (each: Held, slot: number) => ({
      slot,
      version: each.image.version,
      hash: each.image.hash,
      bootable: true,
      active: slot === 0,
      confirmed: each.confirmed,
      pending: each.pending,
    });
    return [entry(this.running, 0), ...(this.other ? [entry(this.other, 1)] : [])];
  }

  #reset() {
    this.resets += 1;
    if (this.deafTo > 0) {
      this.deafTo -= 1;
      return undefined;
    }
    if (!this.#up) return undefined;
    void this.#restart(300);
    return {};
  }

  async #restart(afterMs: number): Promise<void> {
    await this.#clock.sleep(afterMs);
    this.#up = false;
    const { running, other } = this;
    if (other && !running.confirmed) {
      // On trial and not confirmed: back to the other one, which stays for good.
      this.running = { ...other, confirmed: true, pending: false };
      this.other = { ...running, pending: false };
    } else if (other?.pending) {
      if (this.behaviour.start === "refused") this.other = undefined;
      else {
        this.running = { ...other, pending: false, confirmed: false };
        this.other = running;
        if (this.behaviour.start === "dead") return this.#restart(this.behaviour.watchdogMs);
      }
    }
    await this.#clock.sleep(2_000);
    this.#up = true;
    this.#mcu.write("*** Booting ***\r\n");
  }
}

function held(image: FirmwareImage): Held["image"] {
  return { hash: image.hash, version: imageVersionText(image) };
}
