import type { OpenTpmDevice } from "../../src/keys/tpm/tpm-device.ts";

/** A command on its way to a TPM. */
export interface SentCommand {
  /** Its code, as in the header. */
  readonly code: number;
  readonly bytes: Uint8Array;
  /** Which one it is since the test began to count, from 1. */
  readonly number: number;
  /** Hands it to the TPM. */
  pass(): Promise<Uint8Array>;
}

/** The line to a TPM with somebody on it who sees each command and decides what becomes of it. */
export class DoctoredDevice {
  /** Commands that went over it, by code. */
  readonly sent: number[] = [];
  /** Decides; gives the response. Default: passes everything on. */
  intercept: (command: SentCommand) => Promise<Uint8Array> = ({ pass }) => pass();
  readonly #open: OpenTpmDevice;

  constructor(open: OpenTpmDevice) {
    this.#open = open;
  }

  /** Lines that are open now. */
  lines = 0;

  readonly open: OpenTpmDevice = async (options) => {
    const device = await this.#open(options);
    this.lines += 1;
    let closed = false;
    return {
      transmit: (bytes, transmitOptions) => {
        // The sender wipes what it sent.
        const copy = Buffer.from(bytes);
        const code = copy.readUInt32BE(6);
        this.sent.push(code);
        const pass = () => device.transmit(copy, transmitOptions);
        return this.intercept({ code, bytes: copy, number: this.sent.length, pass });
      },
      close: async () => {
        if (!closed) this.lines -= 1;
        closed = true;
        await device.close();
      },
    };
  };

  /** Forgets what was sent and passes everything on. */
  reset(): void {
    this.sent.length = 0;
    this.intercept = ({ pass }) => pass();
  }
}
