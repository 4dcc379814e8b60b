import type { Body } from "../wire/value.ts";

/** Executes a command: the body of the answer, or a thrown {@link Refusal}. */
export type Handler = (request: Body) => Body | Promise<Body>;

/** A command, by what can be done with it. */
export interface GroupCommand {
  readonly read?: Handler;
  readonly write?: Handler;
}

/** A group of commands. */
export interface Group {
  readonly id: number;
  readonly commands: Readonly<Record<number, GroupCommand>>;
  /** What version 1 is told instead of the group's own code; without it, the same. */
  readonly translate?: (code: number) => number;
}
