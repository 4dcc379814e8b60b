import { describeCause, isLandfallError } from "../errors.ts";
import type { ExitCode } from "./command.ts";
import type { TextSink } from "./terminal.ts";

/** 2 for what the user can correct on the command line or in the configuration, else 1. */
export function exitCodeFor(error: unknown): ExitCode {
  if (!isLandfallError(error)) return 1;
  return error.code === "cli.usage" || /^(config|key|certificate|attestation)\./.test(error.code) ? 2 : 1;
}

/** An error for people: what, every detail, the chain of causes, and what to do. Never a stack. */
export function errorReport(error: unknown, sink: TextSink): string {
  const what = isLandfallError(error) ? error.message : describeCause(error);
  const lines = [`${sink.style("red", "error:")} ${what}`];
  if (isLandfallError(error)) {
    lines.push(...error.details.map((detail) => `  ${detail}`));
    lines.push(...causes(error).map((cause) => `  because: ${cause}`));
    lines.push(`  ${sink.style("bold", "what to do:")} ${error.remedy}`, `  code: ${error.code}`);
  }
  return `${lines.join("\n")}\n`;
}

/** An error as the JSON result of a command, `landfall.error/1`. */
export function errorJson(error: unknown): string {
  const body = isLandfallError(error) ? error.toJSON() : { code: "internal", message: describeCause(error) };
  return `${JSON.stringify({ schema: "landfall.error/1", error: body })}\n`;
}

/** Messages of the causes below an error, outermost first, without those that only repeat the one above. */
function causes(error: Error): string[] {
  const messages: string[] = [];
  let shown = error.message;
  for (let cause = error.cause; cause instanceof Error && messages.length < 5; cause = cause.cause) {
    const text = describeCause(cause);
    if (!shown.includes(text) && !shown.includes(cause.message)) messages.push(text);
    shown += text;
  }
  return messages;
}
