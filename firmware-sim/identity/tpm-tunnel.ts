import { Refusal, smpCode } from "../groups/refusal.ts";

const longestBytes = 4096;

/** A piece of a command for the TPM. */
export interface TpmPiece {
  readonly id: number;
  readonly off: number;
  readonly len: number;
  readonly data: Uint8Array;
}

interface TunnelledCommand {
  readonly id: number;
  readonly bytes: Buffer;
  received: number;
  answer: Promise<Buffer> | undefined;
}

/** Puts the pieces of a command together, has the TPM execute it once, and hands out its answer in pieces. */
export class TpmTunnel {
  readonly #transmit: (command: Uint8Array) => Promise<Buffer>;
  #current: TunnelledCommand | undefined;

  constructor(transmit: (command: Uint8Array) => Promise<Buffer>) {
    this.#transmit = transmit;
  }

  /** Takes a piece; the piece that completes the command is answered when the TPM has. The same piece again changes nothing. */
  async take({ id, off, len, data }: TpmPiece): Promise<{ off: number; rlen?: number }> {
    if (len < 1 || len > longestBytes) throw Refusal.ofGroup(smpCode.tooLarge);
    if (this.#current?.id !== id) {
      if (off !== 0) return { off: 0 };
      this.#current = { id, bytes: Buffer.alloc(len), received: 0, answer: undefined };
    }
    const command = this.#current;
    if (command.bytes.length !== len || off + data.length > len) throw Refusal.ofGroup(smpCode.invalid);
    if (off === command.received) {
      command.bytes.set(data, off);
      command.received += data.length;
    }
    if (command.received < len) return { off: command.received };
    command.answer ??= this.#transmit(command.bytes);
    return { off: len, rlen: (await this.#answered(command)).length };
  }

  /** A piece of the answer to a command. */
  async read(id: number, off: number, mostBytes: number): Promise<{ off: number; len: number; data: Uint8Array }> {
    if (this.#current?.id !== id) throw Refusal.ofGroup(smpCode.noEntry);
    const answer = await this.#answered(this.#current);
    if (off > answer.length) throw Refusal.ofGroup(smpCode.invalid);
    return { off, len: answer.length, data: answer.subarray(off, off + mostBytes) };
  }

  async #answered(command: TunnelledCommand): Promise<Buffer> {
    if (command.answer === undefined) throw Refusal.ofGroup(smpCode.badState);
    try {
      return await command.answer;
    } catch {
      // Forgotten, so that the gateway may try again once the TPM is back.
      if (this.#current === command) this.#current = undefined;
      throw Refusal.ofGroup(smpCode.unknown);
    }
  }
}
