import { createLogger, type Logger, type LogLevel, type LogRecord } from "../log.ts";
import type { Style, TextSink } from "./terminal.ts";

const styles: Readonly<Record<LogRecord["level"], Style>> = {
  trace: "gray",
  debug: "gray",
  info: "cyan",
  warn: "yellow",
  error: "red",
};

/** A logger that writes one line per record: `time level part: message key=value …`. */
export function lineLogger(level: LogLevel, sink: TextSink, now: () => number = Date.now): Logger {
  return createLogger(level, (record) => sink.write(`${formatLine(record, now(), sink)}\n`));
}

function formatLine({ level, part, message, fields }: LogRecord, timeMs: number, sink: TextSink): string {
  const time = sink.style("dim", new Date(timeMs).toISOString());
  const label = sink.style(styles[level], level.padEnd(5));
  const facts = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => sink.style("dim", ` ${key}=${formatValue(value)}`));
  return `${time} ${label} ${part === undefined ? "" : `${part}: `}${oneLine(message)}${facts.join("")}`;
}

function formatValue(value: unknown): string {
  if (typeof value === "string" && /^[^\s"=]+$/.test(value)) return value;
  return JSON.stringify(value) ?? String(value);
}

/** What a peer sent must not be able to forge a second log line, or steer the terminal. */
function oneLine(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this is about.
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, (char) => JSON.stringify(char).slice(1, -1));
}
