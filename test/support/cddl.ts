/**
 * As much of CDDL (RFC 8610) as docs/mcu.cddl is written in: rules, maps with literal and wildcard names, occurrences, lists,
 * choices, and the controls .size, .le and .cbor.
 */
export class Cddl {
  readonly #rules = new Map<string, Type>();
  readonly #decode: (bytes: Uint8Array) => unknown;

  /** @param decode reads what `.cbor` stands before */
  constructor(text: string, decode: (bytes: Uint8Array) => unknown) {
    this.#decode = decode;
    const parser = new Parser(text);
    while (!parser.atEnd) {
      const name = parser.take();
      parser.take("=");
      this.#rules.set(name, parser.type());
    }
  }

  /** Names of the rules. */
  get names(): string[] {
    return [...this.#rules.keys()];
  }

  /** What is wrong with a value by a rule, with its path; undefined when nothing is. */
  fault(rule: string, value: unknown): string | undefined {
    const type = this.#rules.get(rule);
    if (!type) throw new Error(`there is no rule ${rule}`);
    return this.#check(type, value, rule);
  }

  #check(type: Type, value: unknown, at: string): string | undefined {
    switch (type.kind) {
      case "literal":
        return value === type.value ? undefined : `${at}: not "${type.value}"`;
      case "choice": {
        const faults = type.of.map((each) => this.#check(each, value, at));
        return faults.includes(undefined) ? undefined : faults.join(", ");
      }
      case "list":
        if (!Array.isArray(value)) return `${at}: not a list`;
        return first(value, (each, index) => this.#check(type.of, each, `${at}[${index}]`));
      case "map":
        return this.#checkMap(type.members, value, at);
      case "size":
        return this.#check(type.of, value, at) ?? within(sizeOf(value), type, `${at}: size`);
      case "at-most":
        return this.#check(type.of, value, at) ?? within(Number(value), { least: 0, most: type.most }, `${at}: value`);
      case "cbor":
        return this.#check(type.of, value, at) ?? this.#check(type.holds, this.#decode(value as Uint8Array), at);
      case "name":
        return this.#checkName(type.name, value, at);
    }
  }

  #checkMap(members: readonly Member[], value: unknown, at: string): string | undefined {
    if (typeof value !== "object" || value === null || Array.isArray(value) || value instanceof Uint8Array)
      return `${at}: not a map`;
    const entries = Object.entries(value);
    const known = members.filter((each) => each.name !== undefined);
    const wildcard = members.find((each) => each.name === undefined);
    const missing = known.find(({ name, occurs }) => occurs === "" && !entries.some(([each]) => each === name));
    if (missing) return `${at}: "${missing.name}" is missing`;
    if (wildcard?.occurs === "+" && entries.length === 0) return `${at}: is empty`;
    return first(entries, ([name, each]) => {
      const member = known.find((one) => one.name === name) ?? wildcard;
      return member ? this.#check(member.type, each, `${at}.${name}`) : `${at}: "${name}" is not expected`;
    });
  }

  #checkName(name: string, value: unknown, at: string): string | undefined {
    const isUnsigned =
      (typeof value === "bigint" && value >= 0n) || (Number.isInteger(value) && (value as number) >= 0);
    const primitives: Record<string, boolean> = {
      any: true,
      text: typeof value === "string",
      bool: typeof value === "boolean",
      bytes: value instanceof Uint8Array,
      uint: isUnsigned,
    };
    const matches = primitives[name];
    if (matches === undefined) return this.#check(this.#rules.get(name) as Type, value, at);
    return matches ? undefined : `${at}: not ${name}`;
  }
}

interface Range {
  readonly least: number;
  readonly most: number;
}

interface Member {
  /** Absent: any text. */
  readonly name: string | undefined;
  readonly occurs: "" | "?" | "*" | "+";
  readonly type: Type;
}

type Type =
  | { readonly kind: "literal"; readonly value: string }
  | { readonly kind: "name"; readonly name: string }
  | { readonly kind: "choice"; readonly of: readonly Type[] }
  | { readonly kind: "list"; readonly of: Type }
  | { readonly kind: "map"; readonly members: readonly Member[] }
  | ({ readonly kind: "size"; readonly of: Type } & Range)
  | { readonly kind: "at-most"; readonly of: Type; readonly most: number }
  | { readonly kind: "cbor"; readonly of: Type; readonly holds: Type };

class Parser {
  readonly #tokens: readonly string[];
  #at = 0;

  constructor(text: string) {
    const pattern = /"[^"]*"|=>|\.\.|\.[a-z]+|[A-Za-z][\w-]*|\d+|[{}[\](),/=?*+]/g;
    this.#tokens = text.replace(/;.*$/gm, "").match(pattern) ?? [];
  }

  get atEnd(): boolean {
    return this.#at === this.#tokens.length;
  }

  take(expected?: string): string {
    const token = this.#tokens[this.#at++] ?? "the end";
    if (expected !== undefined && token !== expected) throw new Error(`expected ${expected}, got ${token}`);
    return token;
  }

  type(): Type {
    const of = [this.#controlled()];
    while (this.#skip("/")) of.push(this.#controlled());
    return of.length === 1 && of[0] ? of[0] : { kind: "choice", of };
  }

  #skip(token: string): boolean {
    if (this.#tokens[this.#at] !== token) return false;
    this.#at += 1;
    return true;
  }

  #controlled(): Type {
    const of = this.#plain();
    if (this.#skip(".size")) return { kind: "size", of, ...this.#range() };
    if (this.#skip(".le")) return { kind: "at-most", of, most: Number(this.take()) };
    return this.#skip(".cbor") ? { kind: "cbor", of, holds: this.#plain() } : of;
  }

  #range(): Range {
    const inBrackets = this.#skip("(");
    const least = Number(this.take());
    const most = this.#skip("..") ? Number(this.take()) : least;
    if (inBrackets) this.take(")");
    return { least, most };
  }

  #plain(): Type {
    const token = this.take();
    if (token.startsWith('"')) return { kind: "literal", value: token.slice(1, -1) };
    if (token === "[") {
      this.take("*");
      const of = this.type();
      this.take("]");
      return { kind: "list", of };
    }
    return token === "{" ? { kind: "map", members: this.#members() } : { kind: "name", name: token };
  }

  #members(): Member[] {
    const members: Member[] = [];
    while (!this.#skip("}")) {
      const occurs = (["?", "*", "+"] as const).find((each) => this.#skip(each)) ?? "";
      const key = this.take();
      this.take("=>");
      members.push({ name: key.startsWith('"') ? key.slice(1, -1) : undefined, occurs, type: this.type() });
      this.#skip(",");
    }
    return members;
  }
}

function sizeOf(value: unknown): number {
  return typeof value === "string" ? Buffer.byteLength(value) : (value as Uint8Array).length;
}

function within(value: number, { least, most }: Range, at: string): string | undefined {
  return value >= least && value <= most ? undefined : `${at} ${value} is not from ${least} to ${most}`;
}

function first<T>(items: readonly T[], fault: (item: T, index: number) => string | undefined): string | undefined {
  for (const [index, item] of items.entries()) {
    const found = fault(item, index);
    if (found !== undefined) return found;
  }
  return undefined;
}
