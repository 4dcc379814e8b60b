import { type FileHandle, open } from "node:fs/promises";
import { untilAborted } from "../../abort.ts";
import { describeCause, LandfallError } from "../../errors.ts";
import { ResponseAssembly } from "./response-frame.ts";
import type { TpmDevice } from "./tpm-device.ts";

/**
 * A TPM of the kernel: one write is one command, and its response is there to be read. The waiting is done by a thread of
 * the platform's pool, so the event loop goes on. Closing `/dev/tpmrm0` has the kernel flush whatever was left behind.
 */
export class CharacterDevice implements TpmDevice {
  readonly #file: FileHandle;
  readonly #path: string;
  #closing: Promise<void> | undefined;
  #underWay: Promise<unknown> | undefined;

  private constructor(file: FileHandle, path: string) {
    this.#file = file;
    this.#path = path;
  }

  /** Rejects with `tpm.unavailable` when the device is absent or not for this user, with `tpm.busy` when it is taken. */
  static async open(path: string): Promise<CharacterDevice> {
    try {
      return new CharacterDevice(await open(path, "r+"), path);
    } catch (cause) {
      const isTaken = (cause as NodeJS.ErrnoException).code === "EBUSY";
      const message = `The TPM ${path} cannot be opened: ${reasonOf(cause)}.`;
      throw new LandfallError(isTaken ? "tpm.busy" : "tpm.unavailable", message, { cause });
    }
  }

  async transmit(
    command: Uint8Array,
    { signal }: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<Uint8Array> {
    signal?.throwIfAborted();
    const exchange = this.#exchange(command);
    this.#underWay = exchange
      .catch(() => {})
      .finally(() => {
        this.#underWay = undefined;
      });
    return untilAborted(exchange, signal);
  }

  /** Closes the file; while a command is under way it resolves at once, and the file is closed when that has ended. */
  async close(): Promise<void> {
    // The platform does not let go of a file that a thread of its pool still reads.
    this.#closing ??= (this.#underWay ?? Promise.resolve()).then(() => this.#file.close()).catch(() => {});
    if (this.#underWay === undefined) await this.#closing;
  }

  async #exchange(command: Uint8Array): Promise<Uint8Array> {
    try {
      await this.#file.write(command, 0, command.length, null);
      const assembly = new ResponseAssembly();
      const piece = Buffer.alloc(4096);
      for (;;) {
        const { bytesRead } = await this.#file.read(piece, 0, piece.length, null);
        if (bytesRead === 0) throw new Error("it gave no response");
        const response = assembly.add(piece.subarray(0, bytesRead));
        if (response !== undefined) return response;
      }
    } catch (cause) {
      if (cause instanceof LandfallError) throw cause;
      throw new LandfallError("tpm.unavailable", `The TPM ${this.#path} failed: ${describeCause(cause)}.`, { cause });
    }
  }
}

function reasonOf(cause: unknown): string {
  switch ((cause as NodeJS.ErrnoException).code) {
    case "ENOENT":
      return "there is no such device";
    case "EACCES":
    case "EPERM":
      return "this user may not use it; its group usually is tss";
    case "EBUSY":
      return "another program has it; /dev/tpmrm0 can be shared";
    default:
      return describeCause(cause);
  }
}
