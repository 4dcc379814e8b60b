import { formatDuration, parseDuration } from "./duration.ts";
import { shown } from "./fault.ts";
import type { Kind } from "./schema.ts";
import { anyOf } from "./wording.ts";

/** A text that matches `pattern`. */
export function text(expects: string, pattern: RegExp): Kind<string, string> {
  return {
    expects,
    read(value, at) {
      return typeof value === "string" && pattern.test(value)
        ? value
        : at.fault({ expected: expects, found: shown(value) });
    },
  };
}

/** `true` or `false`. */
export const flag: Kind<boolean, boolean> = {
  expects: "true or false",
  read(value, at) {
    return typeof value === "boolean" ? value : at.fault({ expected: this.expects, found: shown(value) });
  },
};

/** One of a few words. */
export function choice<const Word extends string>(words: readonly Word[]): Kind<Word, Word> {
  const expects = anyOf(words.map((word) => JSON.stringify(word)));
  return {
    expects,
    read(value, at) {
      return words.find((word) => word === value) ?? at.fault({ expected: expects, found: shown(value) });
    },
  };
}

/** An integer from `least` to `most`. */
export function integer(least: number, most: number, unit?: string): Kind<number, number> {
  const expects = `an integer from ${least} to ${most}${unit === undefined ? "" : ` (${unit})`}`;
  return {
    expects,
    read(value, at) {
      const fits = typeof value === "number" && Number.isInteger(value) && value >= least && value <= most;
      return fits ? value : at.fault({ expected: expects, found: shown(value) });
    },
  };
}

/** What narrows a {@link duration}. */
export interface DurationRange {
  readonly leastMs: number;
  readonly mostMs: number;
  /** Zero is allowed as well, and means this. */
  readonly zeroMeans?: string;
  /** The protocol counts in seconds. */
  readonly wholeSeconds?: boolean;
}

/** A duration, read as milliseconds. */
export function duration({
  leastMs,
  mostMs,
  zeroMeans,
  wholeSeconds = false,
}: DurationRange): Kind<number, string | number> {
  const range = `from ${formatDuration(leastMs)} to ${formatDuration(mostMs)}`;
  const zero = zeroMeans === undefined ? "" : `, or 0 (${zeroMeans})`;
  const expects = `${wholeSeconds ? "whole seconds" : "a duration"} ${range}${zero}`;
  const writtenAs = 'written like "90s" or "1h30m", or as a number of seconds';
  return {
    expects,
    writtenAs,
    read(value, at) {
      const ms = parseDuration(value);
      const inRange = ms !== undefined && ms >= leastMs && ms <= mostMs && !(wholeSeconds && ms % 1000 !== 0);
      if (inRange || (ms === 0 && zeroMeans !== undefined)) return ms;
      return at.fault({ expected: `${expects}, ${writtenAs}`, found: shown(value) });
    },
  };
}

/** An array with at least `least` members of one kind. */
export function list<V, I>(member: Kind<V, I>, least = 0): Kind<readonly V[], readonly I[]> {
  const expects = `an array${least > 0 ? ` of at least ${least}` : ""}, each member ${member.expects}`;
  return {
    expects,
    read(value, at) {
      if (!Array.isArray(value)) return at.fault({ expected: expects, found: shown(value) });
      if (value.length < least) return at.fault({ expected: expects, found: "an empty array" });
      const members = Array.from(value, (one: unknown, index) => member.read(one, at.at(index)));
      return members.every((one) => one !== undefined) ? members : undefined;
    },
  };
}

/** A text that a parser of ours understands. */
export function parsed<V>(expects: string, parse: (text: string) => V | undefined): Kind<V, string> {
  return {
    expects,
    read(value, at) {
      return (
        (typeof value === "string" ? parse(value) : undefined) ?? at.fault({ expected: expects, found: shown(value) })
      );
    },
  };
}
