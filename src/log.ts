/** Severities, least severe first. `silent` is a threshold only. */
export const logLevels = ["trace", "debug", "info", "warn", "error", "silent"] as const;

/** A threshold: this severity and all above it are written. */
export type LogLevel = (typeof logLevels)[number];

/** Facts that go with a message; values are printed as JSON. */
export type LogFields = Readonly<Record<string, unknown>>;

/** A message, or a function that makes it; the function runs only when the level is on. */
export type LogMessage = string | (() => string);

/** Where a part of landfall reports what it does. The library is silent unless a logger is passed in. */
export interface Logger {
  trace(message: LogMessage, fields?: LogFields): void;
  debug(message: LogMessage, fields?: LogFields): void;
  info(message: LogMessage, fields?: LogFields): void;
  warn(message: LogMessage, fields?: LogFields): void;
  error(message: LogMessage, fields?: LogFields): void;
  /** A logger whose every message carries `part`, such as "hub" or "provisioning". */
  child(part: string): Logger;
}

/** One message on its way out. */
export interface LogRecord {
  readonly level: Exclude<LogLevel, "silent">;
  readonly part: string | undefined;
  readonly message: string;
  readonly fields: LogFields;
}

/** A logger that hands every record at or above `level` to `write`. */
export function createLogger(level: LogLevel, write: (record: LogRecord) => void, part?: string): Logger {
  const threshold = logLevels.indexOf(level);
  const at =
    (own: LogRecord["level"]) =>
    (message: LogMessage, fields: LogFields = {}): void => {
      if (logLevels.indexOf(own) < threshold) return;
      write({ level: own, part, message: typeof message === "string" ? message : message(), fields });
    };
  return {
    trace: at("trace"),
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    child: (name) => createLogger(level, write, part === undefined ? name : `${part}.${name}`),
  };
}

/** The default: says nothing. */
export const silentLogger: Logger = createLogger("silent", () => {});
