import { PassThrough } from "node:stream";
import { type Terminal, textSink } from "../../src/cli/terminal.ts";

/** A terminal in memory: what a command wrote, and a place to type into. */
export interface FakeTerminal extends Terminal {
  readonly input: PassThrough & { isTTY?: boolean };
  readonly written: { out: string; err: string };
}

export function fakeTerminal({
  env = {},
  isTTY = false,
}: {
  env?: NodeJS.ProcessEnv;
  isTTY?: boolean;
} = {}): FakeTerminal {
  const written = { out: "", err: "" };
  const sink = (name: "out" | "err") => {
    const stream = Object.assign(new PassThrough(), { isTTY, columns: 100 });
    stream.on("data", (chunk: Buffer) => {
      written[name] += chunk.toString();
    });
    return textSink(stream, { env, onFailure: () => {} });
  };
  return { input: Object.assign(new PassThrough(), { isTTY }), out: sink("out"), err: sink("err"), written };
}
