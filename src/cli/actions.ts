import { LandfallError } from "../errors.ts";
import type { ExitCode, Invocation, OptionSpec } from "./command.ts";

/** One of the things that a command with several can do: the operand after the command's name. */
export interface Action {
  /** Most operands after the action's own name. */
  readonly operands: number;
  /** What may be given with it, beside what every action of the command takes. */
  readonly options: Readonly<Record<string, OptionSpec>>;
  /** Each action has a file of its own, loaded when it is called. */
  load(): Promise<(invocation: Invocation) => Promise<ExitCode>>;
}

/** The actions of a command, by name. */
export type Actions = Readonly<Record<string, Action>>;

/** The options of all of them together, for the command's help. */
export function optionsOf(actions: Actions): Readonly<Record<string, OptionSpec>> {
  return Object.assign({}, ...Object.values(actions).map(({ options }) => options));
}

/**
 * Does what the first operand says. Rejects with `cli.usage` when that is no action of the command, or when something was
 * given that this action has no use for: to pass over it would be to do something else than was asked.
 */
export async function runAction(command: string, actions: Actions, invocation: Invocation): Promise<ExitCode> {
  const [name = "", ...operands] = invocation.positionals;
  const action = Object.hasOwn(actions, name) ? actions[name] : undefined;
  if (action === undefined) {
    const names = Object.keys(actions)
      .join(", ")
      .replace(/, (\w+)$/, " or $1");
    throw usage(`${command}: expected ${names}, got ${name === "" ? "nothing" : `"${name}"`}`);
  }
  if (operands.length > action.operands) {
    throw usage(`${command} ${name}: unexpected argument "${operands[action.operands]}"`);
  }
  for (const option of Object.keys(invocation.options)) {
    const isOfOthers = Object.hasOwn(optionsOf(actions), option);
    if (isOfOthers && !Object.hasOwn(action.options, option)) {
      throw usage(`${command} ${name}: unexpected option --${option}`);
    }
  }
  return (await action.load())(invocation);
}

const usage = (message: string): LandfallError => new LandfallError("cli.usage", message);
