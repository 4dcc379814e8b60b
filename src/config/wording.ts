import type { Alternative } from "./schema.ts";

/** `a`, `a or b`, `a, b or c`. */
export function anyOf(words: readonly string[]): string {
  return joined(words, "or");
}

/** `a`, `a and b`, `a, b and c`. */
export function allOf(words: readonly string[]): string {
  return joined(words, "and");
}

/** `either a and b, or c`: the ways to give the same thing. */
export function alternativesInWords(alternatives: readonly Alternative[]): string {
  return `either ${alternatives.map(({ needs }) => allOf(needs)).join(", or ")}`;
}

function joined(words: readonly string[], conjunction: string): string {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} ${conjunction} ${words.at(-1)}`;
}
