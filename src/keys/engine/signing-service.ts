import { timingSafeEqual } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { type Clock, systemClock } from "../../clock.ts";
import type { DigestSigner } from "../digest-signer.ts";
import { SigningAllowance, type SigningRate } from "./signing-rate.ts";

/** Where and for whom a {@link SigningService} signs. */
export interface SigningServiceOptions {
  /** Path of the Unix socket, in a folder that only this user can enter. */
  readonly socketPath: string;
  /** 64 characters that a request has to begin with. Only this process knows them. */
  readonly token: string;
  readonly rate?: SigningRate;
  /** Default: the machine's own. */
  readonly clock?: Clock;
}

const digestBytes = 32;

/** An ECDSA signature on P-256 in DER: two numbers of 33 bytes at most. */
const longestSignatureBytes = 72;

/** Milliseconds for a request to arrive; the engine sends it whole. */
const requestTimeoutMs = 5000;

/**
 * The other side of the engine `landfall`: takes a digest from a Unix socket and has a {@link DigestSigner} sign it. One
 * connection is one signature.
 *
 * ```
 * engine:   token (64) · digest (32)  ──>
 *                                     <──  length (1) · ECDSA signature, DER     length 0: refused
 * ```
 */
export class SigningService implements AsyncDisposable {
  readonly #signer: DigestSigner;
  readonly #token: Buffer;
  readonly #allowance: SigningAllowance;
  readonly #server: Server;
  readonly #connections = new Set<Socket>();
  readonly #life = new AbortController();

  private constructor(signer: DigestSigner, { token, rate, clock = systemClock }: SigningServiceOptions) {
    this.#signer = signer;
    this.#token = Buffer.from(token, "latin1");
    this.#allowance = new SigningAllowance(clock, rate);
    this.#server = createServer((connection) => void this.#serve(connection));
    this.#server.maxConnections = 16;
  }

  /** Listens. The signer stays its owner's. Rejects with a system error when the path cannot be taken. */
  static async listen(signer: DigestSigner, options: SigningServiceOptions): Promise<SigningService> {
    const service = new SigningService(signer, options);
    service.#server.listen(options.socketPath);
    await once(service.#server, "listening");
    return service;
  }

  /** Hangs up on whoever waits. Idempotent. */
  async close(): Promise<void> {
    this.#life.abort();
    for (const connection of this.#connections) connection.destroy();
    if (!this.#server.listening) return;
    const closed = once(this.#server, "close");
    this.#server.close();
    await closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #serve(connection: Socket): Promise<void> {
    this.#connections.add(connection);
    connection.on("error", () => {}); // whoever asked has gone; "close" follows
    connection.once("close", () => this.#connections.delete(connection));
    connection.setTimeout(requestTimeoutMs, () => connection.destroy());
    const request = await readRequest(connection, this.#token.length + digestBytes);
    if (request === undefined) return;
    connection.setTimeout(0);
    const asking = new AbortController();
    connection.once("close", () => asking.abort());
    connection.end(await this.#answer(request, AbortSignal.any([asking.signal, this.#life.signal])));
  }

  async #answer(request: Buffer, signal: AbortSignal): Promise<Buffer> {
    const refusal = Buffer.of(0);
    const token = request.subarray(0, this.#token.length);
    if (!timingSafeEqual(token, this.#token) || !this.#allowance.take()) return refusal;
    try {
      const signature = await this.#signer.sign(request.subarray(this.#token.length), { signal });
      return signature.length > longestSignatureBytes
        ? refusal
        : Buffer.concat([Buffer.of(signature.length), signature]);
    } catch {
      // TLS learns that there is no signature; it could do nothing with the reason, which the next opening of the key tells.
      return refusal;
    }
  }
}

/** The request, or `undefined` when the connection ends before it is whole. What comes after it is left aside. */
function readRequest(connection: Socket, length: number): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    let request = Buffer.alloc(0);
    connection.on("data", (chunk: Buffer) => {
      if (request.length >= length) return;
      request = Buffer.concat([request, chunk]);
      if (request.length >= length) resolve(request.subarray(0, length));
    });
    connection.once("close", () => resolve(undefined));
  });
}
