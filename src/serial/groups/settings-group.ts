import { describeCause, LandfallError } from "../../errors.ts";
import { AnswerFields } from "../answer-fields.ts";
import type { CborMap, CborValue } from "../cbor.ts";
import type { SmpCallOptions, SmpClient } from "../smp-client.ts";

/** Group 3: settings by name, such as `sampling/period_ms`. A value is one CBOR item. */
export class SettingsGroup {
  readonly #client: SmpClient;

  constructor(client: SmpClient) {
    this.#client = client;
  }

  /** The value of a setting. Rejects with `smp.refused` for one that there is not. */
  async read(name: string, options?: SmpCallOptions): Promise<CborValue> {
    const body = await this.#client.request({ operation: "read", group: 3, command: 0, body: { name } }, options);
    const value = new AnswerFields(`the setting ${name}`, body).bytes("val");
    try {
      return this.#client.cbor.decode(value);
    } catch (cause) {
      const what = `the value of the setting ${name} is not one CBOR item: ${describeCause(cause)}`;
      throw new LandfallError("smp.malformed", what, { cause });
    }
  }

  /** Sets a value, which takes effect with {@link commit}. Rejects with `smp.refused` for a name or value that is wrong. */
  async write(name: string, value: CborValue, options?: SmpCallOptions): Promise<void> {
    await this.#write(0, { name, val: this.#client.cbor.encode(value) }, options);
  }

  /** Takes a setting away, so that it has its default again. */
  async delete(name: string, options?: SmpCallOptions): Promise<void> {
    await this.#write(1, { name }, options);
  }

  /** Makes what was written take effect, all of it at once. */
  async commit(options?: SmpCallOptions): Promise<void> {
    await this.#write(2, {}, options);
  }

  /** Keeps the settings over a restart, where the firmware does not by itself. */
  async save(options?: SmpCallOptions): Promise<void> {
    await this.#write(3, {}, options);
  }

  async #write(command: number, body: CborMap, options: SmpCallOptions | undefined): Promise<void> {
    // Twice the same setting is the same setting; writing to flash takes its time.
    const request = { operation: "write", group: 3, command, body, repeatable: true, timeoutMs: 3_000 } as const;
    await this.#client.request(request, options);
  }
}
