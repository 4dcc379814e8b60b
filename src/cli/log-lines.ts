import { createLogger, type Logger, type LogLevel, type LogRecord } from "../log.ts";
import { plainLine } from "./plain-text.ts";
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
  return `${time} ${label} ${part === undefined ? "" : `${part}: `}${plainLine(message)}${facts.join("")}`;
}

function formatValue(value: unknown): string {
  if (typeof value === "string" && /^[!-~]+$/.test(value) && !/["=]/.test(value)) return value;
  return plainLine(JSON.stringify(value) ?? String(value));
}
