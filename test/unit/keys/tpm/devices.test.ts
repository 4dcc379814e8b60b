import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { describe, expect, test } from "vitest";
import { deviceOpener } from "../../../../src/keys/tpm/open-device.ts";
import { ScratchFolder } from "../../../support/scratch-folder.ts";

const scratch = new ScratchFolder();
const command = Buffer.from("80010000000c0000017b0010", "hex");
const response = Buffer.from("80010000000e00000000" + "0002abcd", "hex");

let sockets = 0;

/** Something on a Unix socket that takes commands; `react` plays the TPM. */
async function peer(react: (socket: Socket, received: Buffer) => void) {
  const path = scratch.file(`socket-${++sockets}`);
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on("error", () => {});
    socket.on("data", (received: Buffer) => react(socket, received));
    socket.once("close", () => open.delete(socket));
  }).listen(path);
  await once(server, "listening");
  return {
    openDevice: deviceOpener({ kind: "unix", path }),
    path,
    open,
    [Symbol.asyncDispose]: async () => {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

describe("a TPM behind a socket", () => {
  test("is sent the command, and its response may come byte by byte", async () => {
    const received: Buffer[] = [];
    await using tpm = await peer((socket, bytes) => {
      received.push(bytes);
      socket.setNoDelay(true);
      for (const byte of response) socket.write(Buffer.of(byte));
    });
    const device = await tpm.openDevice();
    expect(await device.transmit(command)).toEqual(response);
    expect(await device.transmit(command)).toEqual(response);
    expect(Buffer.concat(received)).toEqual(Buffer.concat([command, command]));
    await device.close();
    await device.close();
    await expect.poll(() => tpm.open.size).toBe(0);
    await expect(device.transmit(command)).rejects.toMatchObject({ code: "tpm.unavailable" });
  });

  test.each([
    ["says a length that no response has", "8001000000090000", "its header says 9"],
    ["says a length beyond every buffer", "8001ffffffff0000", "its header says 4294967295"],
    ["sends more than one response", `${response.toString("hex")}00`, "sent 1 bytes more"],
    ["speaks of something else", Buffer.from("220 smtp ready\r\n").toString("hex"), "its header says"],
  ])("that %s is no TPM", async (_, hex, says) => {
    await using tpm = await peer((socket) => socket.write(Buffer.from(hex, "hex")));
    const device = await tpm.openDevice();
    await expect(device.transmit(command)).rejects.toMatchObject({
      code: "tpm.malformed-response",
      message: expect.stringContaining(says),
    });
    await expect.poll(() => tpm.open.size).toBe(0);
  });

  test.each([
    ["ends", (socket: Socket) => socket.end(response.subarray(0, 7))],
    ["breaks", (socket: Socket) => socket.destroy()],
  ])("that %s in the middle of a response is away", async (_, react) => {
    await using tpm = await peer(react);
    const device = await tpm.openDevice();
    await expect(device.transmit(command)).rejects.toMatchObject({
      code: "tpm.unavailable",
      message: expect.stringContaining(`The TPM at swtpm:${tpm.path} closed the connection before it answered`),
    });
  });

  test("that keeps silent is let go of by an abort", async () => {
    const abort = new AbortController();
    await using tpm = await peer(() => abort.abort(new Error("enough")));
    const device = await tpm.openDevice();
    await expect(device.transmit(command, abort)).rejects.toThrow("enough");
    await expect.poll(() => tpm.open.size).toBe(0);
    await expect(tpm.openDevice({ signal: abort.signal })).rejects.toThrow("enough");
  });

  test("that is not there is named", async () => {
    const open = deviceOpener({ kind: "unix", path: "/absent/socket" });
    await expect(open()).rejects.toMatchObject({
      code: "tpm.unavailable",
      message: expect.stringMatching(/^The TPM at swtpm:\/absent\/socket cannot be reached: .*ENOENT/),
    });
  });
});

describe("a TPM of the kernel", () => {
  test("is written to and read from", async () => {
    // A pipe hands back what was written, and a command has the same header as a response.
    const path = scratch.file("tpmrm0");
    execFileSync("mkfifo", ["-m", "600", path]);
    const device = await deviceOpener({ kind: "device", path })();
    expect(await device.transmit(command)).toEqual(command);
    await device.close();
    await device.close();
    await expect(device.transmit(command)).rejects.toMatchObject({ code: "tpm.unavailable" });
  });

  test("that gives no response is away", async () => {
    const device = await deviceOpener({ kind: "device", path: "/dev/null" })();
    await expect(device.transmit(command)).rejects.toMatchObject({
      code: "tpm.unavailable",
      message: "The TPM /dev/null failed: it gave no response.",
    });
    await device.close();
  });

  test("that gives something else is no TPM", async () => {
    const device = await deviceOpener({ kind: "device", path: "/dev/zero" })();
    await expect(device.transmit(command)).rejects.toMatchObject({ code: "tpm.malformed-response" });
    await device.close();
  });
});
