import type { CborCodec, CborMap } from "../../src/serial/cbor.ts";
import type { SmpCallOptions, SmpClient, SmpRequest } from "../../src/serial/smp-client.ts";
import { contractFault } from "./mcu-contract.ts";

/** How a {@link PatientClient} asks. */
export interface Patience {
  /** How often what may be repeated is said. */
  readonly tries: number;
  /** Longest wait for the answer to one try, in milliseconds, however long it is meant to be. */
  readonly timeoutMs: number;
}

/**
 * Asks as another client does, but for longer and more often: on a line that loses a byte in a thousand, so that a long
 * suite does not fail for the five bad tries in a row that come sooner or later. Holds every answer to the contract.
 */
export class PatientClient implements SmpClient {
  /** What answers had that the contract does not allow. */
  readonly contractFaults: string[] = [];
  readonly #client: SmpClient;
  readonly #patience: Patience;

  constructor(client: SmpClient, patience: Patience) {
    this.#client = client;
    this.#patience = patience;
  }

  get cbor(): CborCodec {
    return this.#client.cbor;
  }

  async request(request: SmpRequest, options?: SmpCallOptions): Promise<CborMap> {
    const { operation, group, command, timeoutMs = 1_000, tries = this.#patience.tries } = request;
    const limits = { tries, timeoutMs: Math.min(timeoutMs, this.#patience.timeoutMs) };
    const body = await this.#client.request({ ...request, ...limits }, options);
    const fault = contractFault({ operation: `${operation}-response`, group, command, body });
    if (fault !== undefined) this.contractFaults.push(fault);
    return body;
  }

  packetBytes(options?: SmpCallOptions): Promise<number> {
    return this.#client.packetBytes(options);
  }
}
