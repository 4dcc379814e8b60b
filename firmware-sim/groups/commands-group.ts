import type { CommandMemory, RememberedCommand } from "../command-memory.ts";
import type { CommandContext, CommandResult, McuCommandFunction } from "../commands.ts";
import type { Statistics } from "../statistics.ts";
import type { Body, Value } from "../wire/value.ts";
import type { Group } from "./group.ts";
import { Refusal, smpCode } from "./refusal.ts";
import { RequestFields } from "./request-fields.ts";

/** A command that was executed. */
export interface ExecutedCommand {
  readonly id: string;
  readonly name: string;
  readonly args: Value | undefined;
}

/** What the group works with. */
export interface CommandsGroupParts {
  readonly boot: number;
  readonly commands: Readonly<Record<string, McuCommandFunction>>;
  readonly context: CommandContext;
  readonly memory: CommandMemory;
  readonly counts: Statistics["commands"];
  readonly onExecuted: (command: ExecutedCommand) => void;
}

const invalid = () => Refusal.ofGroup(smpCode.invalid);

/** Group 72: commands, each executed at most once. */
export function commandsGroup(parts: CommandsGroupParts): Group {
  return {
    id: 72,
    commands: {
      0: { write: (request) => command(request, parts) },
      1: { read: () => ({ names: Object.keys(parts.commands) }) },
    },
  };
}

function command(request: Body, parts: CommandsGroupParts): Body {
  const { boot, commands, memory, counts } = parts;
  const fields = new RequestFields(request, invalid);
  const id = fields.text("id", 1, 36);
  const name = fields.text("name", 1, 64);
  // What an earlier start executed is forgotten, so whether this would be the second time cannot be known.
  if (fields.count("boot") !== boot) throw Refusal.ofGroup(smpCode.badState);
  const known = memory.recall(id);
  if (known !== undefined) {
    counts.repeated += 1;
    return answer(id, known);
  }
  // Nothing was executed, so there is nothing to remember.
  if (!Object.hasOwn(commands, name)) return { id, status: 404 };
  const entry = memory.isAtWork(name) ? undefined : memory.remember(id, name);
  if (entry === undefined) throw Refusal.ofGroup(smpCode.busy);
  counts.executed += 1;
  parts.onExecuted({ id, name, args: fields.value("args") });
  execute(commands[name] as McuCommandFunction, entry, fields.value("args"), parts.context);
  return answer(id, entry);
}

function execute(run: McuCommandFunction, entry: RememberedCommand, args: Value | undefined, context: CommandContext) {
  const settle = (outcome: CommandResult): void => {
    entry.outcome = outcome;
  };
  const fail = (): void => settle({ status: 500 });
  try {
    const outcome = run(args, context);
    if (outcome instanceof Promise) outcome.then(settle, fail);
    else settle(outcome);
  } catch {
    fail();
  }
}

function answer(id: string, { outcome }: RememberedCommand): Body {
  if (outcome === undefined) return { id };
  const { status, result } = outcome;
  return result === undefined ? { id, status } : { id, status, result };
}
