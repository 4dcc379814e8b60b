import { createInterface } from "node:readline";
import { untilAborted } from "../abort.ts";
import { LandfallError } from "../errors.ts";
import type { Invocation } from "./command.ts";

/** Something a command must know: from a flag, or else asked for on a terminal. */
export interface Question {
  readonly flag: string;
  /** The prompt. */
  readonly ask: string;
  /** The only answers that make sense; the first is the default. */
  readonly choices?: readonly string[];
  /** Whether the question matters, given the answers so far. Default: always. */
  readonly when?: (answers: Answers) => boolean;
}

type Answers = Readonly<Record<string, string | undefined>>;

/**
 * The values of all flags, with an answer for every question. Rejects with `cli.usage`, naming every missing flag, when
 * there is no terminal to ask on.
 */
export async function askFor(questions: readonly Question[], invocation: Invocation): Promise<Answers> {
  const answers: Record<string, string | undefined> = {};
  for (const [name, value] of Object.entries(invocation.options))
    if (value !== undefined) answers[name] = String(value);
  const open = () =>
    questions.filter((question) => answers[question.flag] === undefined && (question.when?.(answers) ?? true));
  if (open().length === 0) return answers;
  const { input, err } = invocation.terminal;
  if (!input.isTTY) {
    const missing = open().map(({ flag }) => `--${flag}`);
    throw new LandfallError("cli.usage", `missing: ${missing.join(", ")} (there is no terminal to ask on)`);
  }
  const prompt = createInterface({ input });
  // The iterator keeps lines that were typed, or piped in, ahead of their question.
  const lines = prompt[Symbol.asyncIterator]();
  try {
    for (let next = open()[0]; next !== undefined; next = open()[0]) {
      err.write(`${next.ask}${next.choices ? ` [${next.choices.join(" | ")}]` : ""}: `);
      const line = await untilAborted(lines.next(), invocation.signal);
      if (line.done) throw new LandfallError("cli.usage", "the input ended before every question was answered");
      const answer = line.value.trim() || next.choices?.[0];
      if (answer === undefined) continue;
      if (next.choices && !next.choices.includes(answer)) {
        err.write(`expected one of ${next.choices.join(", ")}\n`);
        continue;
      }
      answers[next.flag] = answer;
    }
  } finally {
    prompt.close();
  }
  return answers;
}
