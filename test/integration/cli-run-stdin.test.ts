import { afterAll, describe, expect, test } from "vitest";
import { Emulator } from "../../src/emulator/index.ts";
import { connectedByHand } from "../support/emulated-device.ts";
import { undocumented } from "../support/event-page.ts";
import { landfall, startLandfall } from "../support/landfall-process.ts";
import { ScratchFolder } from "../support/scratch-folder.ts";

const folder = new ScratchFolder();
const emulator = await Emulator.start();
const hub = emulator.hub();
afterAll(() => emulator.close());

/** A device whose agent says nothing by itself. */
async function device(deviceId: string, window = 32): Promise<string> {
  const tables = { telemetry: { interval: 0 }, hub: { telemetry_window: window } };
  return (await connectedByHand(emulator, folder, deviceId, tables)).file;
}

const textsOf = (deviceId: string): string[] =>
  hub.received.filter((message) => message.deviceId === deviceId).map((message) => message.text());

describe("landfall run --stdin", () => {
  test("sends every line, in order, and exits 0 once all are acknowledged", async () => {
    const numbers = Array.from({ length: 300 }, (_, index) => `${index}`);
    const { code, out } = await landfall(["run", "--stdin", "-c", await device("counter", 8)], {
      input: `${numbers.join("\n")}\n`,
    });
    expect({ code, out }).toEqual({ code: 0, out: "" });
    expect(textsOf("counter")).toEqual(numbers);
  });

  test("an envelope carries properties and a message id", async () => {
    const line = { body: { t: 21.5 }, properties: { alarm: "no" }, messageId: "m-1" };
    const { code } = await landfall(["run", "--stdin", "-c", await device("envelope")], {
      input: JSON.stringify(line), // the last line needs no end
    });
    expect(code).toBe(0);
    const [message] = hub.received.filter(({ deviceId }) => deviceId === "envelope");
    expect(message).toMatchObject({ properties: { alarm: "no" }, messageId: "m-1", contentType: "application/json" });
    expect(message?.json()).toEqual({ t: 21.5 });
  });

  test("a line that is no message is named and passed over, and the exit code tells", async () => {
    const { code, out, err } = await landfall(["run", "--stdin", "--json", "-c", await device("faulty")], {
      input: `1\nnonsense\n\n{"body":1,"size":2}\n"${"x".repeat(262_144)}"\n2\n`,
    });
    expect(code).toBe(1);
    expect(textsOf("faulty")).toEqual(["1", "2"]);
    const lines = out
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    const refused = lines.filter(({ event }) => event === "message-refused");
    expect(refused.map(({ line, fault }) => [line, fault])).toEqual([
      [2, "not-json"],
      [4, "bad-envelope"],
      [5, "too-long"],
    ]);
    const acknowledged = lines.filter(({ event }) => event === "telemetry-acknowledged");
    expect(acknowledged.map(({ kind, line }) => [kind, line])).toEqual([
      ["line", 1],
      ["line", 6],
    ]);
    expect(lines.flatMap(undocumented)).toEqual([]);
    expect(err).toContain("standard input, line 2: expected one JSON value");
    expect(err).not.toContain("nonsense");
  });

  test("a hub that is away delays the lines, and loses none", async () => {
    hub.refuse("unavailable");
    await using agent = startLandfall(["run", "--stdin", "--json", "-c", await device("patient", 2)]);
    agent.child.stdin.end("1\n2\n3\n4\n5\n");
    await agent.event("waiting");
    hub.refuse(undefined);
    expect(await agent.exited).toBe(0);
    expect(textsOf("patient")).toEqual(["1", "2", "3", "4", "5"]);
  });

  test("a dropped connection delays the lines, and loses none", async () => {
    await using agent = startLandfall(["run", "--stdin", "--json", "-c", await device("dropped", 4)]);
    for (let n = 1; n <= 20; n++) agent.write(`${n}\n`);
    await agent.event("telemetry-acknowledged", ({ line }) => line === 20);
    hub.dropConnection("dropped");
    for (let n = 21; n <= 40; n++) agent.write(`${n}\n`);
    agent.child.stdin.end();
    expect(await agent.exited).toBe(0);
    const sent = Array.from({ length: 40 }, (_, index) => `${index + 1}`);
    // At least once: a message whose acknowledgement was lost comes again.
    expect([...new Set(textsOf("dropped"))]).toEqual(sent);
  });

  test("a signal: what was read is still sent, what was not is left; the end of every line is told", async () => {
    await using agent = startLandfall(["run", "--stdin", "--json", "-c", await device("interrupted", 4)]);
    const count = 20_000;
    agent.write(Array.from({ length: count }, (_, index) => `${index + 1}\n`).join(""));
    await agent.event("telemetry-acknowledged");
    agent.kill("SIGTERM");
    await agent.event("closed");
    expect(await agent.exited).toBe(0);
    const texts = textsOf("interrupted");
    const acknowledged = agent.lines.filter(({ event }) => event === "telemetry-acknowledged");
    expect(acknowledged.map(({ line }) => `${line}`)).toEqual(texts);
    expect(agent.lines.filter(({ event }) => event === "message-refused")).toEqual([]);
    expect(texts.length).toBeLessThan(count);
    expect(agent.lines.at(-1)).toMatchObject({ event: "closed" });
  });

  test("a signal while the hub is silent: lines that never arrived are told", async () => {
    const args = ["run", "--stdin", "--json", "-c", await device("unheard")];
    await using agent = startLandfall(args, { env: { NODE_DEBUG: "landfall" } });
    await agent.event("connected");
    hub.silent(true);
    try {
      agent.write("1\n2\n");
      await agent.says(/> .*messages\/events.*\n(.*\n)*.*> .*messages\/events/);
      agent.kill("SIGTERM");
      expect(await agent.exited).toBe(0);
      const refused = agent.lines.filter(({ event }) => event === "message-refused");
      expect(refused).toMatchObject([
        { line: 1, fault: "not-sent", error: { code: "hub.closed" } },
        { line: 2, fault: "not-sent", error: { code: "hub.closed" } },
      ]);
      expect(agent.lines.flatMap(undocumented)).toEqual([]);
    } finally {
      hub.silent(false);
    }
  });
});
