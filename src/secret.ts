import { inspect } from "node:util";

/**
 * A value that must not be seen: a key, a password, a token.
 * Every way of printing it gives `[secret]`; only {@link reveal} hands it out.
 */
export class Secret<T extends string | Uint8Array = string> {
  readonly #value: T;

  constructor(value: T) {
    this.#value = value;
  }

  /** The value itself. Call it where the value is used, and keep the result out of fields and messages. */
  reveal(): T {
    return this.#value;
  }

  toString(): string {
    return "[secret]";
  }

  toJSON(): string {
    return "[secret]";
  }

  [inspect.custom](): string {
    return "[secret]";
  }
}
