import { describeCause } from "../errors.ts";
import type { Logger } from "../log.ts";
import type { CborCodec, CborMap } from "./cbor.ts";
import type { SmpPushHandler } from "./smp-client.ts";
import { SmpRefusal, smpCodes } from "./smp-faults.ts";
import type { SmpPacket } from "./smp-packet.ts";

/** What a {@link PushDesk} works with. */
export interface PushDeskOptions {
  readonly cbor: CborCodec;
  readonly logger: Logger;
  /** Sends an answer; drops it when the port is away, for the MCU will ask again. */
  readonly send: (packet: SmpPacket) => void;
}

/** Answers what the MCU asks of the gateway. */
export class PushDesk {
  readonly #options: PushDeskOptions;
  readonly #handlers = new Map<number, SmpPushHandler>();

  constructor(options: PushDeskOptions) {
    this.#options = options;
  }

  /** Has `handler` answer for `group`, in place of whoever did before, until the returned function is called. */
  serve(group: number, handler: SmpPushHandler): () => void {
    this.#handlers.set(group, handler);
    return () => {
      if (this.#handlers.get(group) === handler) this.#handlers.delete(group);
    };
  }

  /** Has a request answered, or not, where it could not be dealt with: the MCU will ask again. Never rejects. */
  async answer(request: SmpPacket): Promise<void> {
    const { cbor, send, logger } = this.#options;
    try {
      const body = cbor.encode(await this.#answerTo(request));
      send({ ...request, operation: request.operation === "read" ? "read-response" : "write-response", body });
    } catch (error) {
      logger.debug(() => `request ${request.group}/${request.command} of the MCU: ${describeCause(error)}`);
    }
  }

  async #answerTo({ operation, group, command, body, version }: SmpPacket): Promise<CborMap> {
    const handler = this.#handlers.get(group);
    if (handler === undefined) return { rc: smpCodes.notSupported };
    try {
      const asked = operation === "read" ? "read" : "write";
      return await handler({ operation: asked, command, body: this.#options.cbor.decodeMap(body) });
    } catch (error) {
      if (!(error instanceof SmpRefusal)) throw error;
      const { rc } = error.fault;
      const what = (): string => `request ${group}/${command} of the MCU was refused: ${describeCause(error)}`;
      // Who is told to come again loses nothing.
      if (error.is("busy")) this.#options.logger.debug(what);
      else this.#options.logger.warn(what());
      return version === 1 ? { rc } : { err: { group, rc } };
    }
  }
}
