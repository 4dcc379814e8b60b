import type { Readable, Writable } from "node:stream";
import { styleText } from "node:util";

/** Text styles that the command line uses. */
export type Style = Parameters<typeof styleText>[0];

/** The three standard streams, and what they can show. Results go to `out`, everything else to `err`. */
export interface Terminal {
  readonly input: Readable & { readonly isTTY?: boolean };
  readonly out: TextSink;
  readonly err: TextSink;
}

/** A standard stream that text goes to. Writing never throws: who made the sink hears of failures. */
export interface TextSink {
  readonly isTTY: boolean;
  readonly columns: number;
  write(text: string): void;
  /** `text` in a style, or as it is where colours are not wanted. */
  style(style: Style, text: string): string;
}

/** What {@link textSink} wants to know beside the stream. */
export interface TextSinkOptions {
  /** `NO_COLOR`, `FORCE_COLOR` and `TERM` decide on colours. */
  readonly env: NodeJS.ProcessEnv;
  /** Told of everything that could not be written. */
  readonly onFailure: (error: NodeJS.ErrnoException) => void;
}

/** Whether a stream shall be coloured: `NO_COLOR` and `FORCE_COLOR` stand over what the stream is. */
function wantsColour(env: NodeJS.ProcessEnv, isTTY: boolean): boolean {
  if (env.NO_COLOR) return false;
  if (env.FORCE_COLOR !== undefined) return env.FORCE_COLOR !== "0";
  return isTTY && env.TERM !== "dumb";
}

/** Wraps a stream; `columns` falls back to 80 where there is no terminal. */
export function textSink(
  stream: Writable & { isTTY?: boolean; columns?: number },
  { env, onFailure }: TextSinkOptions,
): TextSink {
  const isTTY = stream.isTTY === true;
  const coloured = wantsColour(env, isTTY);
  stream.on("error", onFailure);
  return {
    isTTY,
    get columns() {
      return stream.columns ?? 80;
    },
    write: (text) => {
      try {
        stream.write(text);
      } catch (error) {
        // A file tells at once that the disk is full, a pipe later that its reader is gone.
        onFailure(error as NodeJS.ErrnoException);
      }
    },
    // Newer versions of the platform would otherwise look at process.stdout instead of this stream.
    style: (style, text) => (coloured ? styleText(style, text, { validateStream: false }) : text),
  };
}
