import type { DialedSocket, Dialer, DialOptions, DialPath, DialTarget } from "./dialer.ts";

/** Told of every connection whose peer was verified; the connection is used once it resolves. Must not reject. */
export type Witness = (target: DialTarget, path: DialPath) => Promise<void>;

/** A dialer that tells a witness of every verified connection before anybody uses it. */
export class WitnessedDialer implements Dialer {
  readonly #dialer: Dialer;
  readonly #witness: Witness;

  constructor(dialer: Dialer, witness: Witness) {
    this.#dialer = dialer;
    this.#witness = witness;
  }

  async dial(target: DialTarget, options: DialOptions = {}): Promise<DialedSocket> {
    const dialed = await this.#dialer.dial(target, options);
    // A connection that fails meanwhile is found so by whoever uses it; until then nobody listens.
    dialed.socket.on("error", () => {});
    await this.#witness(target, dialed.path);
    return dialed;
  }
}
