/** Doubles for the tests of programs that use landfall. */
export { FakeClock } from "./fake-clock.ts";
