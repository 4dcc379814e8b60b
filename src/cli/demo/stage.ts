import { LandfallError } from "../../errors.ts";
import type { Timeline } from "./timeline.ts";

/** Where the story is told, and what it may use. */
export interface Stage {
  readonly timeline: Timeline;
  /** An empty directory, removed afterwards by the caller. */
  readonly directory: string;
  readonly signal: AbortSignal;
}

/** The error of a story that went another way. @param claim what should have been so */
export function untrue(claim: string): LandfallError {
  return new LandfallError("cli.demo-incomplete", `expected that ${claim}`);
}
