import { LandfallError } from "../../errors.ts";
import { AnswerFields } from "../answer-fields.ts";
import { describeCbor } from "../cbor.ts";
import { ifTold } from "../if-told.ts";
import type { SmpCallOptions, SmpClient } from "../smp-client.ts";

/** Counters by the name of their statistics and their own. */
export type AllStatistics = Readonly<Record<string, Readonly<Record<string, number>>>>;

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

  /** All counters, by the name of their statistics and their own; undefined where the firmware has none. */
  async readAll(options?: SmpCallOptions): Promise<AllStatistics | undefined> {
    const names = await ifTold(this.names(options));
    if (names === undefined) return undefined;
    const all = new Map<string, Readonly<Record<string, number>>>();
    for (const name of names) {
      const counters = await ifTold(this.read(name, options));
      if (counters !== undefined) all.set(name, counters);
    }
    return Object.fromEntries(all);
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
