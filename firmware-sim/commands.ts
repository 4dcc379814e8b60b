import type { Clock } from "../src/clock.ts";
import { type Body, isBody, type Value } from "./wire/value.ts";

/** What became of a command: a status as HTTP has it, and perhaps something to say. */
export interface CommandResult {
  readonly status: number;
  readonly result?: Value;
}

/** What a command may use. */
export interface CommandContext {
  readonly clock: Clock;
  /** Aborts when the firmware ends. */
  readonly signal: AbortSignal;
  /** A reading of the sensors. */
  readonly measure: () => Body;
  /** Starts the sensors anew. */
  readonly restartSensors: () => void;
}

/** Executes a command. A promise is one that takes its time: the gateway asks again for its result. */
export type McuCommandFunction = (
  args: Value | undefined,
  context: CommandContext,
) => CommandResult | Promise<CommandResult>;

/** The commands of the sample firmware, made anew for each life of the firmware. */
export function usualCommands(): Readonly<Record<string, McuCommandFunction>> {
  let executions = 0;
  return {
    /** Blinks the light, args `{ ? "times": 1..100 }`. */
    blink: (args) => {
      const times = numberIn(args, "times", 1);
      return times >= 1 && times <= 100 ? fine({ done: times }) : refuse("times: expected 1 to 100");
    },
    /** Adds one to a number, which shows how often it was executed. */
    count: () => {
      executions += 1;
      return fine({ count: executions });
    },
    measure: (_, { measure }) => fine(measure()),
    "reboot-sensor": (_, { restartSensors }) => {
      restartSensors();
      return fine({});
    },
    /** Takes its time, args `{ ? "ms": 0..60000 }`. */
    calibrate: (args, { clock, signal }) => {
      const ms = numberIn(args, "ms", 1_000);
      if (!(ms >= 0 && ms <= 60_000)) return refuse("ms: expected 0 to 60000");
      return clock.sleep(ms, { signal }).then(() => fine({ ms }));
    },
  };
}

function fine(result: Value): CommandResult {
  return { status: 200, result };
}

function refuse(error: string): CommandResult {
  return { status: 400, result: { error } };
}

/** A whole number among the arguments; NaN for what is none. */
function numberIn(args: Value | undefined, name: string, initially: number): number {
  const value = isBody(args) ? (args[name] ?? initially) : initially;
  return Number.isInteger(value) ? (value as number) : Number.NaN;
}
