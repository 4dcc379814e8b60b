const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

type Unit = keyof typeof unitMs;

const largestFirst: readonly Unit[] = ["d", "h", "m", "s", "ms"];

/**
 * The milliseconds of a duration as a configuration writes it: a number of seconds (`90`, `0.5`), or a text of numbers
 * with units, largest unit first and each once (`"45s"`, `"10m"`, `"1h30m"`, `"250ms"`, `"7d"`).
 * Anything else, negative numbers included, is `undefined`. The result is a whole number of milliseconds.
 */
export function parseDuration(value: unknown): number | undefined {
  if (typeof value === "number") return wholeMs(value * 1000);
  if (typeof value !== "string") return undefined;
  const parts = /^(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?$/.exec(value.trim());
  if (parts === null || value.trim() === "") return undefined;
  return wholeMs(largestFirst.reduce((sum, unit, index) => sum + Number(parts[index + 1] ?? 0) * unitMs[unit], 0));
}

/** A text that {@link parseDuration} reads back as `ms` milliseconds, in the largest unit that fits: `"45s"`, `"90m"`. */
export function formatDuration(ms: number): string {
  const unit = ms === 0 ? "s" : largestFirst.find((candidate) => ms % unitMs[candidate] === 0);
  return `${ms / unitMs[unit ?? "ms"]}${unit ?? "ms"}`;
}

function wholeMs(ms: number): number | undefined {
  const rounded = Math.round(ms);
  return ms >= 0 && Number.isSafeInteger(rounded) ? rounded : undefined;
}
