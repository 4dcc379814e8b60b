import { connect } from "node:net";

/**
 * A device for the SDK's TPM library that hands raw commands to a socket. Of its own, the library only knows the framing
 * of another simulator.
 */
export class RawTpmDevice {
  #path;
  #socket;

  constructor(path) {
    this.#path = path;
  }

  connect(done) {
    this.#socket = connect(this.#path, () => done());
    this.#socket.once("error", done);
  }

  /** One command at a time; the length of an answer stands behind its tag. */
  dispatchCommand(command, done) {
    let answer = Buffer.alloc(0);
    const read = (chunk) => {
      answer = Buffer.concat([answer, chunk]);
      if (answer.length < 6 || answer.length < answer.readUInt32BE(2)) return;
      this.#socket.off("data", read);
      setImmediate(done, null, answer);
    };
    this.#socket.on("data", read);
    this.#socket.write(command);
  }

  close() {
    this.#socket.destroy();
  }
}
