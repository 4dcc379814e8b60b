import { once } from "node:events";
import { connect } from "node:net";

/** Every answer of a TPM begins so: tag (2), length of all (4), big endian. */
const lengthAt = 2;
const headBytes = 6;

/** A TPM 2.0 that `swtpm socket --tpm2 --server type=unixio,path=…` serves: one command, one answer. */
export class TpmSocket {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** Carries a command to the TPM. Rejects when nothing answers at the socket. */
  async transmit(command: Uint8Array, signal: AbortSignal): Promise<Buffer> {
    // One connection for each command: swtpm serves one client at a time, and the test may be another.
    const socket = connect(this.#path);
    const stop = (): void => void socket.destroy();
    signal.addEventListener("abort", stop, { once: true });
    try {
      await once(socket, "connect");
      socket.write(command);
      let answer = Buffer.alloc(0);
      for await (const chunk of socket as AsyncIterable<Buffer>) {
        answer = Buffer.concat([answer, chunk]);
        if (answer.length >= headBytes && answer.length >= answer.readUInt32BE(lengthAt)) return answer;
      }
      throw new Error(`the TPM closed its connection after ${answer.length} bytes`);
    } finally {
      signal.removeEventListener("abort", stop);
      socket.destroy();
    }
  }
}
