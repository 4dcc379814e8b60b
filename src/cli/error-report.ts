import { describeCause, type ErrorCode, isLandfallError } from "../errors.ts";
import type { ExitCode } from "./command.ts";
import { plainLine } from "./plain-text.ts";
import type { TextSink } from "./terminal.ts";

/** 2 for what the user can correct on the command line, in the configuration or in a file it names; else 1. */
export function exitCodeFor(error: unknown): ExitCode {
  return isLandfallError(error) && isForUser(error.code) ? 2 : 1;
}

function isForUser(code: ErrorCode): boolean {
  switch (code) {
    case "cli.usage":
    case "emulator.enrollment-file":
    case "attestation.registration-id":
    case "attestation.symmetric-key":
    case "attestation.unsupported-pair":
    case "serial.address":
    case "serial.driver-missing":
    case "firmware.unusable":
    case "firmware.wrong-board":
    case "firmware.downgrade":
      return true;
    default:
      return /^(config|key|certificate)\./.test(code);
  }
}

/** An error for people: what, every detail, the chain of causes, and what to do. Never a stack. */
export function errorReport(error: unknown, sink: TextSink): string {
  const what = isLandfallError(error) ? error.message : describeCause(error);
  const lines = [`${sink.style("red", "error:")} ${plainLine(what)}`];
  if (isLandfallError(error)) {
    lines.push(...error.details.map((detail) => `  ${plainLine(detail)}`));
    lines.push(...causes(error).map((cause) => `  because: ${plainLine(cause)}`));
    lines.push(`  ${sink.style("bold", "what to do:")} ${error.remedy}`, `  code: ${error.code}`);
  }
  return `${lines.join("\n")}\n`;
}

/** An error as the JSON result of a command, `landfall.error/1`. */
export function errorJson(error: unknown): string {
  const body = isLandfallError(error) ? error.toJSON() : { code: "internal", message: describeCause(error) };
  return `${JSON.stringify({ schema: "landfall.error/1", error: body })}\n`;
}

/** What nobody foresaw, for whoever has to find it: the message and where it came from, without the error's properties. */
export function crashReport(error: unknown, sink: TextSink): string {
  const frames = error instanceof Error ? (error.stack ?? "").split("\n").filter((line) => /^\s+at /.test(line)) : [];
  return [
    `${sink.style("red", "landfall stopped, which it never should:")} ${plainLine(describeCause(error))}`,
    ...frames.map(plainLine),
    "Please report this text.",
    "",
  ].join("\n");
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
