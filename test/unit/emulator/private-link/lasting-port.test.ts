import { expect, test } from "vitest";
import { findLastingPort } from "../../../../src/emulator/private-link/lasting-port.ts";
import { TcpFront } from "../../../../src/emulator/private-link/network/tcp-front.ts";

/** Where Linux begins to hand out ports by itself; other systems begin higher. */
const firstHandedOut = 32_768;

test("a port that keeps its number is none that the system hands out, and none of a well-known service", async () => {
  const seen = new Set<number>();
  for (let time = 0; time < 100; time++) await findLastingPort(async (port) => void seen.add(port));
  expect(seen.size).toBeGreaterThan(50);
  expect(Math.min(...seen)).toBeGreaterThan(10_000);
  expect(Math.max(...seen)).toBeLessThan(firstHandedOut);
});

test("ports that cannot be had are passed over", async () => {
  const asked: number[] = [];
  await findLastingPort(async (port) => {
    asked.push(port);
    if (asked.length < 10) throw new Error("in use");
  });
  expect(new Set(asked).size).toBe(10);
});

test("where none can be had, the reason is told", async () => {
  const reason = new Error("no more descriptors");
  await expect(findLastingPort(() => Promise.reject(reason))).rejects.toBe(reason);
});

test("a front has such a port, whatever it does with clients", async () => {
  const anchor = await TcpFront.open((socket) => socket.on("error", () => {}).resume());
  const front = await TcpFront.open((socket) => socket.destroy());
  const { port } = front;
  expect(port).toBeLessThan(firstHandedOut);
  for (const mode of ["refusing", "open", "dropping", "open"] as const) {
    await front.enter(mode, anchor.port);
    expect(front.port).toBe(port);
  }
  await front.close();
  await anchor.close();
});
