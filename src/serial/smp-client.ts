import type { CborCodec, CborMap } from "./cbor.ts";

/** A request to an MCU. */
export interface SmpRequest {
  readonly operation: "read" | "write";
  /** 0 to 65535. */
  readonly group: number;
  /** 0 to 255. */
  readonly command: number;
  /** Default: an empty map. */
  readonly body?: CborMap;
  /**
   * Whether the MCU may get it twice without harm. Only then is it said again when no answer comes, or when the port
   * went away under it. Default: a read may, a write may not.
   */
  readonly repeatable?: boolean;
  /**
   * How long the answer to one try may take, in milliseconds. Default 1000, or less where answers are seen to come sooner,
   * for what may be repeated. An answer that comes damaged ends the wait for what may be repeated.
   */
  readonly timeoutMs?: number;
  /**
   * How many such times a repeatable request is waited for before it fails; it is said more often where tries end sooner.
   * Default 5. With 1 it is said once.
   */
  readonly tries?: number;
}

/** What every call takes last. */
export interface SmpCallOptions {
  readonly signal?: AbortSignal | undefined;
}

/** Somebody who carries requests to an MCU. */
export interface SmpClient {
  /**
   * Sends a request and resolves with the body of the answer. One is under way at a time, others wait for their turn; while
   * the port is away, all wait.
   * Rejects with `smp.refused`, `smp.busy` or `smp.unsupported` ({@link SmpRefusal}) when the MCU says no, `smp.timeout`
   * when it says nothing, `smp.malformed`, `smp.too-large`, `serial.unplugged` when the port went away under a request that
   * may not be repeated, and `serial.closed`.
   */
  request(request: SmpRequest, options?: SmpCallOptions): Promise<CborMap>;

  /**
   * Longest packet that the MCU takes, header included, in bytes. It is asked once, and again when other firmware may be
   * running: after the port was opened anew, a reset, or a silence.
   */
  packetBytes(options?: SmpCallOptions): Promise<number>;

  /** The codec of bodies, for what travels in CBOR within CBOR, and for knowing how long a body will be. */
  readonly cbor: CborCodec;
}

/** A request of the MCU's to the gateway. */
export interface SmpPush {
  readonly operation: "read" | "write";
  readonly command: number;
  readonly body: CborMap;
}

/**
 * Answers the requests that an MCU makes in one group. What it resolves with is the body of the answer; when it rejects
 * with `SmpRefusal` the MCU is told that code. After any other failure the MCU gets no answer, and will ask again.
 */
export type SmpPushHandler = (push: SmpPush) => Promise<CborMap>;
