import { LandfallError } from "../../errors.ts";
import { AnswerFields } from "../answer-fields.ts";
import { describeCbor } from "../cbor.ts";
import type { SmpCallOptions, SmpClient } from "../smp-client.ts";

/** Group 2: what the firmware counts. */
export class StatisticsGroup {
  readonly #client: SmpClient;

  constructor(client: SmpClient) {
    this.#client = client;
  }

  /** Names of what {@link read} knows. */
  async names(options?: SmpCallOptions): Promise<readonly string[]> {
    const body = await this.#client.request({ operation: "read", group: 2, command: 1 }, options);
    return new AnswerFields("the list of statistics", body).texts("stat_list");
  }

  /** The counters of one name; those beyond 2^53 lose their last digits. */
  async read(name: string, options?: SmpCallOptions): Promise<Readonly<Record<string, number>>> {
    const body = await this.#client.request({ operation: "read", group: 2, command: 0, body: { name } }, options);
    const entries = Object.entries(new AnswerFields("the statistics", body).map("fields"));
    return Object.fromEntries(
      entries.map(([field, value]) => {
        if (typeof value === "number" || typeof value === "bigint") return [field, Number(value)];
        const found = `expected a number as "${field}", got ${describeCbor(value)}`;
        throw new LandfallError("smp.malformed", `the statistics: ${found}`);
      }),
    );
  }
}
