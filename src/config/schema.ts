import type { Place } from "./place.ts";
import type { TomlValue } from "./toml-text.ts";

/**
 * The language in which the configuration is described. One description gives validation, defaults, the types of both
 * ends, the commented template and the reference page.
 */

declare const input: unique symbol;

/** What a setting accepts. `Input` is what may be written, `Value` what it means. */
export interface Kind<Value = unknown, Input = unknown> {
  /** Fits after "expected"; names the range. */
  readonly expects: string;
  /** The ways to write it, where there are several; fits after {@link expects} and a comma. */
  readonly writtenAs?: string;
  /** The meaning of `value`, or `undefined` after at least one fault was reported at `at`. */
  read(value: unknown, at: Place): Value | undefined;
  readonly [input]?: Input;
}

/**
 * Whether something must be given: `required`, may be left out: `optional`, or stands for itself when left out:
 * `default` (a setting has a default value then, a table is as if it were empty).
 */
export type Need = "required" | "optional" | "default";

/** One setting. */
export interface Setting<Value = unknown, Input = unknown, N extends Need = Need> {
  readonly node: "setting";
  readonly kind: Kind<Value, Input>;
  readonly need: N;
  /** Whole sentences: what it is, and what is good to know. Range and default are added from the kind. */
  readonly doc: string;
  /** As it would be written; for `default`, the default. */
  readonly sample: TomlValue;
}

/** A table of settings. */
export interface Table<E extends Entries = Entries, N extends Need = Need> {
  readonly node: "table";
  readonly entries: E;
  readonly need: N;
  readonly doc: string;
  readonly alternatives?: readonly Alternative[];
}

/** A table whose settings depend on the value of one of them, the `tag`. */
export interface Variants<
  Tag extends string = string,
  C extends Readonly<Record<string, Variant>> = Readonly<Record<string, Variant>>,
  N extends Need = Need,
> {
  readonly node: "variants";
  readonly tag: Tag;
  readonly choices: C;
  readonly need: N;
  readonly doc: string;
}

/** One choice of {@link Variants}. */
export interface Variant<E extends Entries = Entries> {
  readonly entries: E;
  readonly doc: string;
  readonly alternatives?: readonly Alternative[];
}

/** A table of tables with names that the user chooses: `[methods.NAME]`. */
export interface NamedTables<E extends Entries = Entries> {
  readonly node: "named-tables";
  readonly entries: E;
  readonly need: "default";
  readonly doc: string;
  /** What names may be; `expects` fits after "expected". */
  readonly names: { readonly pattern: RegExp; readonly expects: string; readonly sample: string };
}

/** One way among several to give the same thing. Exactly one way must be used, with all that it needs. */
export interface Alternative {
  readonly needs: readonly string[];
  readonly allows?: readonly string[];
}

/** Anything that can stand in a table. */
export type SchemaNode = Setting | Table | Variants | NamedTables;

/** The members of a table, by key. */
export interface Entries {
  readonly [key: string]: SchemaNode;
}

/** A setting that must be given. */
export function required<V, I>(kind: Kind<V, I>, sample: TomlValue, doc: string): Setting<V, I, "required"> {
  return { node: "setting", kind, need: "required", doc, sample };
}

/** A setting that may be left out; nothing stands in its place then. */
export function optional<V, I>(kind: Kind<V, I>, sample: TomlValue, doc: string): Setting<V, I, "optional"> {
  return { node: "setting", kind, need: "optional", doc, sample };
}

/** A setting with a default. */
export function defaulting<V, I>(kind: Kind<V, I>, fallback: TomlValue, doc: string): Setting<V, I, "default"> {
  return { node: "setting", kind, need: "default", doc, sample: fallback };
}

/** What a setting accepts and how it may be written; fits after "expected". */
export function accepted({ expects, writtenAs }: Kind): string {
  return writtenAs === undefined ? expects : `${expects}, ${writtenAs}`;
}

/** The values of a table after validation, by key. */
export type Values<E extends Entries> = { readonly [K in keyof E]: ValueOf<E[K]> };

type ValueOf<Node> = Node extends { readonly need: "optional" } ? PlainValueOf<Node> | undefined : PlainValueOf<Node>;

type PlainValueOf<Node> =
  Node extends Setting<infer V>
    ? V
    : Node extends Table<infer E>
      ? Values<E>
      : Node extends Variants<infer Tag, infer C>
        ? { [K in keyof C]: { readonly [T in Tag]: K } & Values<C[K]["entries"]> }[keyof C]
        : Node extends NamedTables<infer E>
          ? Readonly<Record<string, Values<E>>>
          : never;

/** What may be written into a table, by key. */
export type Inputs<E extends Entries> = {
  readonly [K in keyof E as E[K]["need"] extends "required" ? K : never]: InputOf<E[K]>;
} & {
  readonly [K in keyof E as E[K]["need"] extends "required" ? never : K]?: InputOf<E[K]> | undefined;
};

type InputOf<Node> =
  Node extends Setting<unknown, infer I>
    ? I
    : Node extends Table<infer E>
      ? Inputs<E>
      : Node extends Variants<infer Tag, infer C>
        ? { [K in keyof C]: { readonly [T in Tag]: K } & Inputs<C[K]["entries"]> }[keyof C]
        : Node extends NamedTables<infer E>
          ? Readonly<Record<string, Inputs<E>>>
          : never;
