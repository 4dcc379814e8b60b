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

/** A standard stream that text goes to. */
export interface TextSink {
  readonly isTTY: boolean;
  readonly columns: number;
  write(text: string): void;
  /** `text` in a style, or as it is where colours are not wanted. */
  style(style: Style, text: string): string;
}

/** Whether a stream shall be coloured: `NO_COLOR` and `FORCE_COLOR` stand over what the stream is. */
function wantsColour(env: NodeJS.ProcessEnv, isTTY: boolean): boolean {
  if (env.NO_COLOR) return false;
  if (env.FORCE_COLOR !== undefined) return env.FORCE_COLOR !== "0";
  return isTTY && env.TERM !== "dumb";
}

/** Wraps a stream; `columns` falls back to 80 where there is no terminal. */
export function textSink(stream: Writable & { isTTY?: boolean; columns?: number }, env: NodeJS.ProcessEnv): TextSink {
  const isTTY = stream.isTTY === true;
  const coloured = wantsColour(env, isTTY);
  return {
    isTTY,
    get columns() {
      return stream.columns ?? 80;
    },
    write: (text) => {
      stream.write(text);
    },
    // Newer versions of the platform would otherwise look at process.stdout instead of this stream.
    style: (style, text) => (coloured ? styleText(style, text, { validateStream: false }) : text),
  };
}
