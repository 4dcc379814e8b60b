/**
 * A delay that a service asks for, in seconds as it writes them, as milliseconds: no less than one second (0 would invite a
 * storm of polls) and no more than one hour (a slip of the service must not silence a device for days). `undefined` when
 * the text is no whole number.
 */
export function parseRetryAfter(seconds: string | undefined): number | undefined {
  if (seconds === undefined || !/^\d+$/.test(seconds)) return undefined;
  return Math.min(Math.max(Number(seconds), 1), 3600) * 1000;
}
