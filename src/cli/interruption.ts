import { constants } from "node:os";
import type { ExitCode } from "./command.ts";

const signals = ["SIGINT", "SIGTERM", "SIGPIPE", "SIGHUP"] as const;

/** What may end a command early. */
export type InterruptingSignal = (typeof signals)[number];

/** Why a command shall end before it is done; the reason of the signal that every command gets. */
export class Interruption extends Error {
  /** What shells expect of a program that a signal has ended: 128 and the signal's number. */
  readonly exitCode: ExitCode;

  constructor(signal: InterruptingSignal) {
    super(`interrupted by ${signal}`);
    this.name = "Interruption";
    this.exitCode = 128 + constants.signals[signal];
  }
}
