import { PassThrough, Readable } from "node:stream";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type LineMessage, type LineMessagesOptions, lineMessages } from "../../../src/agent/line-messages.ts";
import type { JsonValue } from "../../../src/json.ts";

async function read(input: string | readonly (string | Uint8Array)[], options?: LineMessagesOptions) {
  const stream = Readable.from(typeof input === "string" ? [input] : input, { objectMode: false });
  const all: LineMessage[] = [];
  for await (const message of lineMessages(stream, options)) all.push(message);
  return all;
}

const bodyOf = (message: LineMessage | undefined): JsonValue | undefined =>
  message?.kind === "message" ? JSON.parse(new TextDecoder().decode(message.message.payload)) : undefined;

describe("lines of JSON", () => {
  test("any value is a message, marked as JSON in UTF-8", async () => {
    const messages = await read('{"level":3}\n[1]\n"text"\n42\ntrue\nnull\n');
    expect(messages.map(bodyOf)).toEqual([{ level: 3 }, [1], "text", 42, true, null]);
    expect(messages.map(({ line }) => line)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(messages[0]).toMatchObject({
      kind: "message",
      message: { contentType: "application/json", contentEncoding: "utf-8" },
    });
  });

  test("a body goes out as it was written, large numbers included", async () => {
    const [message] = await read('{"id": 12345678901234567890}\n');
    expect(message?.kind === "message" && new TextDecoder().decode(message.message.payload)).toBe(
      '{"id": 12345678901234567890}',
    );
  });

  test("an object with a body is an envelope", async () => {
    const [message] = await read('{"body":{"level":3},"properties":{"alert":"true"},"messageId":"m-1"}\n');
    expect(bodyOf(message)).toEqual({ level: 3 });
    expect(message).toMatchObject({ message: { properties: { alert: "true" }, messageId: "m-1" } });
    const [bare] = await read('{"body":null}\n');
    expect(bodyOf(bare)).toBeNull();
    expect(bare).not.toHaveProperty("message.properties");
  });

  test("empty lines are passed over, and the last line needs no end", async () => {
    expect((await read("\n  \r\n1\r\n\n2")).map(({ line }) => line)).toEqual([3, 5]);
    expect(await read("")).toEqual([]);
  });

  test("a byte order mark is no part of the first line", async () => {
    expect((await read("\ufeff1\n")).map(bodyOf)).toEqual([1]);
  });

  test("however the stream is cut into chunks, the messages are the same", async () => {
    const text = '{"name":"ü€😀"}\r\n\n{"body":[1,2],"messageId":"é"}\nbroken\n"last"';
    const bytes = new TextEncoder().encode(text);
    const whole = await read([bytes]);
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(fc.nat(bytes.length), { maxLength: 12 }), async (cuts) => {
        const edges = [0, ...cuts.sort((a, b) => a - b), bytes.length];
        const chunks = edges.slice(1).map((end, index) => bytes.subarray(edges[index], end));
        expect(await read(chunks)).toEqual(whole);
      }),
    );
  });
});

describe("a line that is no message is reported in its place, and reading goes on", () => {
  test.each([
    ["not JSON", "{level:3}", "not-json", "expected one JSON value"],
    ["two values", "1 2", "not-json", "expected one JSON value"],
    ["an unknown member beside the body", '{"body":1,"property":{}}', "bad-envelope", '"property"'],
    ["properties of another type", '{"body":1,"properties":[]}', "bad-envelope", "properties"],
    ["a property that is no text", '{"body":1,"properties":{"a":"b","level":3}}', "bad-envelope", '"level"'],
    ["a message id that is no text", '{"body":1,"messageId":7}', "bad-envelope", "messageId"],
  ])("%s", async (_, text, fault, detail) => {
    const messages = await read(`${text}\n"next"\n`);
    expect(messages[0]).toEqual({ kind: "fault", line: 1, fault, detail: expect.stringContaining(detail) });
    expect(bodyOf(messages[1])).toBe("next");
  });

  test("not UTF-8", async () => {
    const messages = await read([new Uint8Array([0x22, 0xff, 0x22, 0x0a]), "1\n"]);
    expect(messages).toMatchObject([{ kind: "fault", fault: "not-json" }, { kind: "message" }]);
  });

  test("too long, by one byte", async () => {
    const messages = await read('"12345678"\n"123456789"\n1\n', { maxLineBytes: 10 });
    expect(messages).toMatchObject([
      { kind: "message", line: 1 },
      { kind: "fault", line: 2, fault: "too-long", detail: "expected at most 10 bytes" },
      { kind: "message", line: 3 },
    ]);
    expect(await read('"12345678"\r\n', { maxLineBytes: 10 })).toMatchObject([{ kind: "message" }]);
  });

  test("far too long, over many chunks", async () => {
    const chunk = Buffer.alloc(64 * 1024, "x");
    const messages = await read([...Array.from({ length: 400 }, () => chunk), "\n1\n"]);
    expect(messages).toMatchObject([
      { fault: "too-long", line: 1 },
      { kind: "message", line: 2 },
    ]);
  });
});

describe("the stream behind the messages", () => {
  test("is read no further than messages are pulled", async () => {
    let produced = 0;
    const stream = Readable.from(
      (function* () {
        for (; produced < 10_000; produced++) yield `${produced}\n`;
      })(),
      { objectMode: false, highWaterMark: 16 },
    );
    const messages = lineMessages(stream);
    await messages.next();
    await messages.next();
    expect(produced).toBeLessThan(50);
    await messages.return();
    expect(stream.destroyed).toBe(true);
  });

  test("that fails makes the pull reject with its error", async () => {
    const stream = new PassThrough();
    const messages = lineMessages(stream);
    const pull = messages.next();
    stream.destroy(new Error("broken pipe"));
    await expect(pull).rejects.toThrow("broken pipe");
  });

  test("is given up on abort, also in the middle of a pull", async () => {
    const stream = new PassThrough();
    const stop = new AbortController();
    const messages = lineMessages(stream, { signal: stop.signal });
    stream.write("1\n");
    await messages.next();
    const pull = messages.next();
    const reason = new Error("enough");
    stop.abort(reason);
    await expect(pull).rejects.toBe(reason);
    expect(stream.destroyed).toBe(true);
    expect((await messages.next()).done).toBe(true);
  });
});
