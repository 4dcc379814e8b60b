import { once } from "node:events";
import { MessageChannel } from "node:worker_threads";
import { describe, expect, test } from "vitest";
import { RemoteLink } from "../../../../src/serial/remote/remote-link.ts";
import { serveLink } from "../../../../src/serial/remote/serve-link.ts";
import { SmpRefusal } from "../../../../src/serial/smp-faults.ts";
import { SmpLink } from "../../../../src/serial/smp-link.ts";
import { FakeClock } from "../../../../src/testing/fake-clock.ts";
import { ScriptedMcu } from "../../../support/scripted-mcu.ts";

/** A link, and one that stands for it at the other end of a message channel. */
async function scene() {
  const [clock, mcu] = [new FakeClock(), new ScriptedMcu()];
  const link = await SmpLink.start({ port: mcu.port, clock, random: () => 0.5 });
  const remote = await RemoteLink.start({ portName: "there" });
  /** Does as a thread does that has the port. @returns ends it */
  const serve = (): (() => void) => {
    const { port1, port2 } = new MessageChannel();
    remote.attach(port1);
    serveLink(link, port2);
    return () => port2.close();
  };
  const end = serve();
  await remote.connected();
  const close = async (): Promise<void> => {
    await remote.close();
    await link.close();
  };
  return { mcu, link, remote, clock, serve, end, [Symbol.asyncDispose]: close };
}

const read = { operation: "read", group: 70, command: 0 } as const;

describe("a link in another thread", () => {
  test("carries requests with bytes and big numbers, and their answers", async () => {
    await using here = await scene();
    here.mcu.on("70/0", ({ body }) => ({ ...body, boot: 2n ** 60n }));
    const data = Uint8Array.of(1, 2, 3);
    expect(await here.remote.request({ ...read, body: { data } })).toEqual({ data, boot: 2n ** 60n });
    expect(await here.remote.packetBytes()).toBe(await here.link.packetBytes());
  });

  test("makes a refusal of the MCU's what it was", async () => {
    await using here = await scene();
    here.mcu.on("70/0", () => ({ err: { group: 70, rc: 6 } }));
    const refused = await here.remote.request(read).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(SmpRefusal);
    expect((refused as SmpRefusal).is("badState")).toBe(true);
    await expect(here.remote.request({ ...read, command: 9 })).rejects.toMatchObject({ code: "smp.unsupported" });
  });

  test("gives up a request when its caller does, there as well", async () => {
    await using here = await scene();
    here.mcu.on("70/0", () => undefined).on("70/1", () => ({ fine: true }));
    const giving = new AbortController();
    const asked = here.remote.request(read, { signal: giving.signal });
    await here.mcu.seen.nth(1);
    giving.abort(new Error("enough"));
    await expect(asked).rejects.toThrow("enough");
    // One request is under way at a time, so this one gets its turn only when that one has ended.
    expect(await here.remote.request({ ...read, command: 1 })).toEqual({ fine: true });
  });

  test("passes on what the MCU pushes, and what is answered", async () => {
    await using here = await scene();
    const stop = here.remote.serve(71, async ({ body }) => {
      if (body.n === 1) throw new SmpRefusal("take it", { group: 71, rc: 3 });
      return { n: body.n ?? null };
    });
    const push = (n: number): void =>
      here.mcu.send({ version: 2, operation: "write", group: 71, command: 1, sequence: n, body: { n } });
    await here.remote.request({ operation: "write", group: 0, command: 0 }).catch(() => {});
    push(0);
    expect((await here.mcu.seen.nth(2)).body).toEqual({ n: 0 });
    push(1);
    expect((await here.mcu.seen.nth(3)).body).toEqual({ err: { group: 71, rc: 3 } });
    stop();
    await here.remote.request({ operation: "write", group: 0, command: 0 }).catch(() => {});
    push(2);
    expect((await here.mcu.seen.nth(5)).body).toEqual({ rc: 8 });
  });

  test("tells of the port, and waits while it is away", async () => {
    await using here = await scene();
    here.mcu.on("70/0", () => ({ fine: true }));
    const down = once(here.remote, "down");
    here.mcu.port.unplug();
    expect((await down)[0]).toMatchObject({ code: "serial.unplugged" });
    expect(here.remote).toMatchObject({ isUp: false, lastFailure: { code: "serial.unplugged" } });
    const asked = here.remote.request(read);
    here.mcu.port.plug();
    await here.clock.advance(10_000);
    expect(await asked).toEqual({ fine: true });
    expect(here.remote.isUp).toBe(true);
  });

  test("outlasts the thread, and takes up with the next one where it was", async () => {
    await using here = await scene();
    here.mcu.on("70/0", () => undefined).on("70/1", () => ({ fine: true }));
    here.remote.serve(71, async ({ body }) => ({ n: body.n ?? null }));
    const asked = here.remote.request(read).catch((error: unknown) => error);
    await here.mcu.seen.nth(1);
    const down = once(here.remote, "down");
    here.end();
    expect((await down)[0]).toMatchObject({ code: "serial.unplugged", retry: "backoff" });
    expect(await asked).toMatchObject({ code: "serial.unplugged" });
    expect(here.remote).toMatchObject({ isUp: false, lastFailure: { code: "serial.unplugged" } });

    const later = here.remote.request({ ...read, command: 1 });
    here.serve();
    expect(await later).toEqual({ fine: true });
    expect(here.remote).toMatchObject({ isUp: true, lastFailure: undefined });
    const answers = here.mcu.seen.nth(here.mcu.seen.all.length + 1);
    here.mcu.send({ version: 2, operation: "write", group: 71, command: 1, sequence: 7, body: { n: 7 } });
    expect((await answers).body).toEqual({ n: 7 });
  });

  test("rejects what waits when it is closed, from either side", async () => {
    await using here = await scene();
    here.mcu.on("70/0", () => undefined);
    const asked = here.remote.request(read);
    await here.remote.close();
    await expect(asked).rejects.toMatchObject({ code: "serial.closed" });
    await expect(here.remote.request(read)).rejects.toMatchObject({ code: "serial.closed" });
  });
});
