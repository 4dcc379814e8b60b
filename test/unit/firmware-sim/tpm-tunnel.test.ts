import { describe, expect, test } from "vitest";
import { TpmTunnel } from "../../../firmware-sim/identity/tpm-tunnel.ts";

function scene(answer: (command: Buffer) => Promise<Buffer> = async (command) => Buffer.from(command).reverse()) {
  const executed: string[] = [];
  const tunnel = new TpmTunnel((command) => {
    executed.push(Buffer.from(command).toString());
    return answer(Buffer.from(command));
  });
  const whole = Buffer.from("a command in pieces");
  const piece = (off: number, end: number, id = 1) =>
    tunnel.take({ id, off, len: whole.length, data: whole.subarray(off, end) });
  return { tunnel, executed, whole, piece };
}

describe("the TPM behind the MCU", () => {
  test("gets a command when its last piece has come, and once", async () => {
    const { tunnel, executed, whole, piece } = scene();
    expect(await piece(0, 7)).toEqual({ off: 7 });
    expect(await piece(0, 7)).toEqual({ off: 7 });
    expect(await piece(10, 19)).toEqual({ off: 7 });
    expect(executed).toEqual([]);
    expect(await piece(7, 19)).toEqual({ off: 19, rlen: 19 });
    expect(await piece(7, 19)).toEqual({ off: 19, rlen: 19 });
    expect(executed).toEqual([whole.toString()]);
    const answer = Buffer.from(whole).reverse();
    expect(await tunnel.read(1, 0, 10)).toEqual({ off: 0, len: 19, data: answer.subarray(0, 10) });
    expect(await tunnel.read(1, 10, 10)).toEqual({ off: 10, len: 19, data: answer.subarray(10) });
  });

  test("gets the next command under the next number; a piece of one that was forgotten begins anew", async () => {
    const { executed, piece, tunnel } = scene();
    await piece(0, 19);
    expect(await piece(7, 19, 2)).toEqual({ off: 0 });
    expect(await piece(0, 19, 2)).toEqual({ off: 19, rlen: 19 });
    expect(executed).toHaveLength(2);
    await expect(tunnel.read(1, 0, 10)).rejects.toMatchObject({ ofGroup: true, code: 5 });
  });

  test("is not asked for an answer before it has the command (6), nor for more than it says (3)", async () => {
    const { tunnel, piece } = scene();
    await piece(0, 7);
    await expect(tunnel.read(1, 0, 10)).rejects.toMatchObject({ ofGroup: true, code: 6 });
    await piece(7, 19);
    await expect(tunnel.read(1, 20, 10)).rejects.toMatchObject({ ofGroup: true, code: 3 });
    await expect(tunnel.take({ id: 9, off: 0, len: 4_097, data: Buffer.alloc(1) })).rejects.toMatchObject({ code: 7 });
    await expect(tunnel.take({ id: 9, off: 0, len: 1, data: Buffer.alloc(2) })).rejects.toMatchObject({ code: 3 });
  });

  test("may be asked again when it was away", async () => {
    let away = true;
    const { piece } = scene(async (command) => {
      if (away) throw new Error("nothing answers");
      return command;
    });
    await expect(piece(0, 19)).rejects.toMatchObject({ ofGroup: true, code: 1 });
    away = false;
    expect(await piece(0, 19)).toEqual({ off: 19, rlen: 19 });
  });
});
