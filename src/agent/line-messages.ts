import type { Readable } from "node:stream";
import { untilAborted } from "../abort.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../json.ts";
import type { TelemetryMessage } from "../transport/messages.ts";
import { telemetryMessage } from "./message.ts";

/** What one line of input came to; `line` is 1 for the first. */
export type LineMessage =
  | { readonly kind: "message"; readonly line: number; readonly message: TelemetryMessage }
  | {
      readonly kind: "fault";
      readonly line: number;
      /** `too-long`, `not-json`, or `bad-envelope`: an object with `body` that holds something else than it may. */
      readonly fault: "too-long" | "not-json" | "bad-envelope";
      /** For people: what was expected; quotes nothing of the line but member names. */
      readonly detail: string;
    };

/** Options of {@link lineMessages}. */
export interface LineMessagesOptions {
  /** Longest line that is taken, in bytes, its end not counted. Default 262 144, the hub's limit for a message. */
  readonly maxLineBytes?: number;
  /** Aborting makes a pending or the next pull reject with `signal.reason`. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * The messages in a stream of lines, one JSON value each. An object with a `body` is an envelope:
 * `{"body": …, "properties": {"name": "text"}, "messageId": "…"}`; any other value is a body itself and is sent as it
 * was written. Empty lines are passed over. A line that is no message is reported in its place, and reading goes on.
 *
 * Reads no further than it is pulled, so that a slow consumer slows the producer. Destroys the stream at the end.
 */
export async function* lineMessages(
  stream: Readable,
  { maxLineBytes = 262_144, signal }: LineMessagesOptions = {},
): AsyncGenerator<LineMessage, void, void> {
  const lines = new LineSplitter(maxLineBytes);
  const chunks: AsyncIterator<Buffer | string> = stream[Symbol.asyncIterator]();
  try {
    for (;;) {
      signal?.throwIfAborted();
      const { value, done } = await untilAborted(chunks.next(), signal);
      const ready = done ? lines.end() : lines.push(Buffer.from(value));
      for (const { line, bytes } of ready) {
        const message = bytes === "too-long" ? tooLong(line, maxLineBytes) : readLine(line, bytes);
        if (message) yield message;
        signal?.throwIfAborted();
      }
      if (done) return;
    }
  } finally {
    stream.destroy();
  }
}

interface Line {
  readonly line: number;
  readonly bytes: Buffer | "too-long";
}

/** Cuts chunks into lines, and holds no more of a line than is allowed. */
class LineSplitter {
  readonly #maxBytes: number;
  #line = 1;
  #parts: Buffer[] = [];
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  *push(chunk: Buffer): Generator<Line> {
    let rest = chunk;
    for (let end = rest.indexOf(newline); end >= 0; end = rest.indexOf(newline)) {
      this.#add(rest.subarray(0, end));
      yield this.#take();
      rest = rest.subarray(end + 1);
    }
    this.#add(rest);
  }

  /** The last line need not have an end. */
  *end(): Generator<Line> {
    if (this.#bytes > 0) yield this.#take();
  }

  #add(part: Buffer): void {
    this.#bytes += part.length;
    if (this.#bytes > this.#maxBytes + 1) this.#parts = [];
    else this.#parts.push(part);
  }

  #take(): Line {
    const bytes = Buffer.concat(this.#parts);
    const whole = bytes.at(-1) === carriageReturn ? bytes.subarray(0, -1) : bytes;
    const tooLong = this.#bytes > this.#maxBytes + 1 || whole.length > this.#maxBytes;
    const line = this.#line;
    this.#line += 1;
    this.#parts = [];
    this.#bytes = 0;
    return { line, bytes: tooLong ? "too-long" : whole };
  }
}

const newline = 0x0a;
const carriageReturn = 0x0d;

function tooLong(line: number, maxLineBytes: number): LineMessage {
  return { kind: "fault", line, fault: "too-long", detail: `expected at most ${maxLineBytes} bytes` };
}

function readLine(line: number, bytes: Buffer): LineMessage | undefined {
  let text: string;
  let value: JsonValue;
  try {
    // Also takes away the byte order mark that some programs begin with.
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes).trim();
    if (text === "") return undefined;
    value = JSON.parse(text);
  } catch {
    return { kind: "fault", line, fault: "not-json", detail: "expected one JSON value in UTF-8" };
  }
  if (!isJsonObject(value) || !Object.hasOwn(value, "body")) {
    // The text itself, because parsing and writing again would change large numbers.
    const message = { ...telemetryMessage(null), payload: new TextEncoder().encode(text) };
    return { kind: "message", line, message };
  }
  const detail = envelopeFault(value);
  if (detail !== undefined) return { kind: "fault", line, fault: "bad-envelope", detail };
  return { kind: "message", line, message: open(value) };
}

/** The first thing that is wrong with an envelope. */
function envelopeFault({ body: _, properties, messageId, ...others }: JsonObject): string | undefined {
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) {
    return `expected body, properties and messageId only, found ${JSON.stringify(unknown.slice(0, 64))}`;
  }
  if (messageId !== undefined && typeof messageId !== "string") return "expected messageId to be a text";
  if (properties === undefined) return undefined;
  if (!isJsonObject(properties)) return "expected properties to be an object";
  const wrong = Object.keys(properties).find((name) => typeof properties[name] !== "string");
  return wrong === undefined
    ? undefined
    : `expected every property to be a text, but ${JSON.stringify(wrong.slice(0, 64))} is not`;
}

function open({ body = null, properties, messageId }: JsonObject): TelemetryMessage {
  return telemetryMessage(body, {
    ...(properties === undefined ? {} : { properties: properties as Readonly<Record<string, string>> }),
    ...(messageId === undefined ? {} : { messageId: messageId as string }),
  });
}
