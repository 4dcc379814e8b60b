import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { afterEach, describe, expect, test } from "vitest";
import { portAt } from "../../src/serial/port-at.ts";
import { SmpLink } from "../../src/serial/smp-link.ts";
import { PseudoTerminal } from "../support/pseudo-terminal.ts";
import { ScratchFolder } from "../support/scratch-folder.ts";
import { ScriptedMcu } from "../support/scripted-mcu.ts";

const folder = new ScratchFolder();
const disposables: (() => unknown)[] = [];
afterEach(async () => {
  for (const dispose of disposables.splice(0).reverse()) await dispose();
});

/** Something that answers echo at the other end of a stream. */
function attach(stream: Duplex): void {
  const mcu = new ScriptedMcu().on("0/0", ({ body }) => ({ r: body.d ?? null }));
  mcu.attach(stream);
}

async function listening(at: { port: number; host: string } | { path: string }): Promise<Server> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on("error", () => {}));
    attach(socket);
  });
  server.listen(at);
  await once(server, "listening");
  disposables.push(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  return server;
}

async function echoOver(address: string): Promise<void> {
  await using link = await SmpLink.open({ port: portAt(address) });
  const text = "x".repeat(300);
  expect(await link.request({ operation: "write", group: 0, command: 0, body: { d: text } })).toEqual({ r: text });
}

describe("a link", () => {
  test("over TCP", async () => {
    const { port } = (await listening({ port: 0, host: "127.0.0.1" })).address() as { port: number };
    await echoOver(`tcp://127.0.0.1:${port}`);
  });

  test("over a Unix socket", async () => {
    const path = folder.file("mcu.sock");
    await listening({ path });
    await echoOver(`unix:${path}`);
  });

  test("over a serial device", async () => {
    const terminal = await PseudoTerminal.open(folder.file("tty-echo"));
    disposables.push(() => terminal.close());
    attach(terminal.stream);
    await echoOver(terminal.path);
  });

  test("takes up where it was when a serial device goes and comes back under its name", async () => {
    const path = folder.file("tty-replug");
    const first = await PseudoTerminal.open(path);
    disposables.push(() => first.close());
    const link = await SmpLink.open({ port: portAt(path) });
    disposables.push(() => link.close());
    const down = once(link, "down");
    const asked = link.request({ operation: "read", group: 0, command: 0, body: { d: "again" }, timeoutMs: 60_000 });
    await first.close();
    expect((await down)[0]).toMatchObject({ code: "serial.unplugged" });
    const second = await PseudoTerminal.open(path);
    disposables.push(() => second.close());
    attach(second.stream);
    expect(await asked).toEqual({ r: "again" });
  });

  test("notices every time that a serial device goes, whether a read is under way just then or not", async () => {
    for (let time = 0; time < 20; time += 1) {
      const terminal = await PseudoTerminal.open(folder.file("tty-often"));
      attach(terminal.stream);
      await using link = await SmpLink.open({ port: portAt(terminal.path) });
      await link.request({ operation: "read", group: 0, command: 0, body: { d: "x" } });
      const down = once(link, "down");
      await terminal.close();
      expect((await down)[0]).toMatchObject({ code: "serial.unplugged" });
    }
  });
});

describe("a port that cannot be opened is named", () => {
  test.each([
    ["a device that is not there", () => folder.file("no-tty"), "serial.port-not-found"],
    ["a socket that is not there", () => `unix:${folder.file("no.sock")}`, "serial.port-not-found"],
    ["a file that is no device", () => folder.write("plain", ""), "serial.port-failed"],
  ])("%s", async (_, address, code) => {
    await expect(SmpLink.open({ port: portAt(await address()) })).rejects.toMatchObject({ code });
  });

  test("a device that another link has", async () => {
    const terminal = await PseudoTerminal.open(folder.file("tty-busy"));
    disposables.push(() => terminal.close());
    const link = await SmpLink.open({ port: portAt(terminal.path) });
    disposables.push(() => link.close());
    await expect(SmpLink.open({ port: portAt(terminal.path) })).rejects.toMatchObject({ code: "serial.port-busy" });
  });
});
