import { AnswerFields } from "../answer-fields.ts";
import type { SmpCallOptions, SmpClient } from "../smp-client.ts";

/** What {@link OsGroup.info} can ask for: the letters are SMP's, and are those of `uname` as far as it has them. */
export type OsInfoFormat = "s" | "n" | "r" | "v" | "b" | "m" | "p" | "i" | "o" | "a";

/** Group 0: what every firmware with SMP can do. */
export class OsGroup {
  readonly #client: SmpClient;

  constructor(client: SmpClient) {
    this.#client = client;
  }

  /** Says `text`, resolves with what came back. */
  async echo(text: string, options?: SmpCallOptions): Promise<string> {
    const request = { operation: "write", group: 0, command: 0, body: { d: text }, repeatable: true } as const;
    return new AnswerFields("the echo", await this.#client.request(request, options)).text("r");
  }

  /** Restarts the MCU. It answers first and restarts a little later; whether it has, only asking it can tell. */
  async reset(options?: SmpCallOptions): Promise<void> {
    await this.#client.request({ operation: "write", group: 0, command: 5 }, options);
  }

  /** A fact about operating system and board, such as `i`, the board's name. Not every firmware tells. */
  async info(format: OsInfoFormat, options?: SmpCallOptions): Promise<string> {
    const request = { operation: "read", group: 0, command: 7, body: { format } } as const;
    return new AnswerFields("the system information", await this.#client.request(request, options)).text("output");
  }
}
