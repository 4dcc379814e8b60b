import { LandfallError } from "../errors.ts";
import { type CborMap, type CborValue, describeCbor, isCborMap } from "./cbor.ts";

/** Reads the body of an answer, field by field. What is missing or of another kind is `smp.malformed`, told by name. */
export class AnswerFields {
  readonly #what: string;
  readonly #body: CborMap;

  /** @param what what the answer is, such as "the image list" */
  constructor(what: string, body: CborMap) {
    this.#what = what;
    this.#body = body;
  }

  text(name: string): string {
    const value = this.#body[name];
    return typeof value === "string" ? value : this.#wrong(name, "a text");
  }

  optionalText(name: string): string | undefined {
    return this.#body[name] === undefined ? undefined : this.text(name);
  }

  bytes(name: string): Uint8Array {
    const value = this.#body[name];
    return value instanceof Uint8Array ? value : this.#wrong(name, "bytes");
  }

  optionalBytes(name: string): Uint8Array | undefined {
    return this.#body[name] === undefined ? undefined : this.bytes(name);
  }

  /** An integer from 0 to `most`, which is 2^53 - 1 unless told. */
  count(name: string, most: number = Number.MAX_SAFE_INTEGER): number {
    const value = this.#body[name];
    const fits = typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= most;
    return fits ? value : this.#wrong(name, most === Number.MAX_SAFE_INTEGER ? "a whole number" : `0 to ${most}`);
  }

  optionalCount(name: string, most?: number): number | undefined {
    return this.#body[name] === undefined ? undefined : this.count(name, most);
  }

  /** Any unsigned integer; beyond 2^53 a bigint. */
  unsigned(name: string): number | bigint {
    const value = this.#body[name];
    return typeof value === "bigint" && value >= 0n ? value : this.count(name);
  }

  /** A flag; servers leave out those that are false. */
  flag(name: string): boolean {
    const value = this.#body[name] ?? false;
    return typeof value === "boolean" ? value : this.#wrong(name, "true or false");
  }

  map(name: string): CborMap {
    const value = this.#body[name];
    return isCborMap(value) ? value : this.#wrong(name, "a map");
  }

  optionalMap(name: string): CborMap | undefined {
    return this.#body[name] === undefined ? undefined : this.map(name);
  }

  /** A list, each entry of which `read` takes or leaves. */
  list<T>(name: string, expected: string, read: (entry: CborValue) => T | undefined): T[] {
    const value = this.#body[name];
    if (!Array.isArray(value)) return this.#wrong(name, expected);
    return (value as readonly CborValue[]).map((entry) => read(entry) ?? this.#wrong(name, expected));
  }

  texts(name: string): string[] {
    return this.list(name, "a list of texts", (entry) => (typeof entry === "string" ? entry : undefined));
  }

  #wrong(name: string, expected: string): never {
    const found = describeCbor(this.#body[name]);
    throw new LandfallError("smp.malformed", `${this.#what}: expected ${expected} as "${name}", got ${found}`);
  }
}
