import { execFileSync } from "node:child_process";
import { closeSync, constants, openSync, writeSync } from "node:fs";
import { afterEach, describe, expect, test } from "vitest";
import { deferred } from "../../../../src/deferred.ts";
import { readDevice } from "../../../../src/serial/ports/device-read.ts";
import { ScratchFolder } from "../../../support/scratch-folder.ts";

type Listener = (error: Error | null) => void;

const folder = new ScratchFolder();
const open: number[] = [];
let pipes = 0;
afterEach(() => {
  for (const fd of open.splice(0)) closeSync(fd);
});

/** A device that is this file, and the promise that somebody waits for it to be readable. */
function device(path: string, flags: number) {
  const waiting = deferred<Listener>();
  const fd: number | null = openSync(path, flags);
  open.push(fd);
  const poller = { once: (_event: "readable", listener: Listener) => waiting.resolve(listener) };
  return { fd: fd as number | null, poller, waiting: waiting.promise };
}

/** A named pipe: it says "not yet" while it is empty, as a serial device does. */
function pipe() {
  const path = folder.file(`pipe-${pipes}`);
  pipes += 1;
  execFileSync("mkfifo", [path]);
  const end = device(path, constants.O_RDWR | constants.O_NONBLOCK);
  return { end, write: (text: string) => void writeSync(end.fd ?? -1, text) };
}

const read = (from: ReturnType<typeof device>) => readDevice(from, Buffer.alloc(8), 2, 4);

describe("reading a serial device", () => {
  test("gives what is there, where it was asked to", async () => {
    const { end, write } = pipe();
    write("abcdef");
    const { buffer, bytesRead } = await read(end);
    expect(bytesRead).toBe(4);
    expect(buffer.toString()).toBe("\0\0abcd\0\0");
  });

  test("waits until the poller says that there is something", async () => {
    const { end, write } = pipe();
    const reading = read(end);
    const listener = await end.waiting;
    write("late");
    listener(null);
    expect((await reading).buffer.subarray(2, 6).toString()).toBe("late");
  });

  test("rejects when the device has gone, which the system tells by giving nothing", async () => {
    await expect(read(device("/dev/null", constants.O_RDONLY))).rejects.toThrow("nothing to read any more");
  });

  test("rejects with the system's error", async () => {
    await expect(read(device(folder.path, constants.O_RDONLY))).rejects.toMatchObject({ code: "EISDIR" });
  });

  test("rejects with what the poller fails with", async () => {
    const { end } = pipe();
    const reading = read(end);
    const failure = new Error("bad file descriptor");
    (await end.waiting)(failure);
    await expect(reading).rejects.toBe(failure);
  });

  test("is given up when the device has been closed", async () => {
    const { end } = pipe();
    await expect(read({ ...end, fd: null })).rejects.toMatchObject({ canceled: true });
  });

  test("is given up when the device is closed while the system is asked", async () => {
    const { end } = pipe();
    const reading = read(end);
    end.fd = null;
    await expect(reading).rejects.toMatchObject({ canceled: true });
  });
});
