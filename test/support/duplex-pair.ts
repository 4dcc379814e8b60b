import { Duplex } from "node:stream";

/** Two streams in memory; what is written to one can be read from the other, and an end of one closes both. */
export function duplexPair(): [Duplex, Duplex] {
  const one = new Half();
  const other = new Half();
  one.peer = other;
  other.peer = one;
  return [one, other];
}

class Half extends Duplex {
  peer: Half | undefined;

  constructor() {
    // As a socket does: who has been left by the other side leaves, too.
    super({ allowHalfOpen: false });
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.peer?.push(chunk);
    done();
  }

  override _writev(chunks: { readonly chunk: Buffer }[], done: () => void): void {
    this._write(Buffer.concat(chunks.map(({ chunk }) => chunk)), "binary", done);
  }

  override _final(done: () => void): void {
    this.peer?.push(null);
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    const { peer } = this;
    setImmediate(() => peer?.destroy());
    done(error);
  }
}
