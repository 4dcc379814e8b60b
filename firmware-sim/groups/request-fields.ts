import type { Body, Value } from "../wire/value.ts";
import type { Refusal } from "./refusal.ts";

/** Reads a request by name, and throws the refusal that it was given when something is missing, or another thing. */
export class RequestFields {
  readonly #body: Body;
  readonly #refuse: () => Refusal;

  constructor(body: Body, refuse: () => Refusal) {
    this.#body = body;
    this.#refuse = refuse;
  }

  has(name: string): boolean {
    return this.#body[name] !== undefined;
  }

  /** A text of so many bytes. */
  text(name: string, least: number, most: number): string {
    const value = this.#body[name];
    if (typeof value !== "string") throw this.#refuse();
    return this.#within(value, Buffer.byteLength(value), least, most);
  }

  bytes(name: string, least: number, most: number): Uint8Array {
    const value = this.#body[name];
    if (!(value instanceof Uint8Array)) throw this.#refuse();
    return this.#within(value, value.length, least, most);
  }

  /** A whole number from 0 on. */
  count(name: string): number {
    const value = this.#body[name];
    if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0) throw this.#refuse();
    return value;
  }

  flag(name: string): boolean {
    const value = this.#body[name];
    if (typeof value !== "boolean") throw this.#refuse();
    return value;
  }

  /** Whatever stands there. */
  value(name: string): Value | undefined {
    return this.#body[name];
  }

  #within<T>(value: T, length: number, least: number, most: number): T {
    if (length < least || length > most) throw this.#refuse();
    return value;
  }
}
