/** The middle one of these numbers; of an even count, the lower one of the two in the middle. Throws for none. */
export function median(numbers: readonly number[]): number {
  const middle = numbers.toSorted((one, other) => one - other)[Math.floor((numbers.length - 1) / 2)];
  if (middle === undefined) throw new Error("there is no middle of nothing");
  return middle;
}
