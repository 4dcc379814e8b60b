import { describe, expect, test } from "vitest";
import { deferred } from "../../../../src/deferred.ts";
import { LandfallError } from "../../../../src/errors.ts";
import { readPublic } from "../../../../src/keys/tpm/key-commands.ts";
import { startPolicySession } from "../../../../src/keys/tpm/policy-commands.ts";
import { Tpm } from "../../../../src/keys/tpm/tpm.ts";
import type { TpmScope } from "../../../../src/keys/tpm/tpm-scope.ts";
import { FakeClock } from "../../../../src/testing/fake-clock.ts";
import { refusal, ScriptedTpm, success } from "../../../support/scripted-tpm.ts";

/** A session with the handle 0x03000001, and the command that frees it. */
const session = "80010000001000000000030000010000";
const flushed = "80010000000e0000016503000001";
const publicArea = "80010000001300000000" + "0003aabbcc" + "0000" + "0000";

const begin = (scope: TpmScope): Promise<number> => scope.run(startPolicySession());
const look = (scope: TpmScope): Promise<Buffer> => scope.run(readPublic(1));

const device = { clock: new FakeClock() };

describe("work at a TPM", () => {
  test("is done one piece after the other, each over a line of its own", async () => {
    const first = deferred<string>();
    const scripted = new ScriptedTpm([first.promise], publicArea);
    await using tpm = new Tpm({ open: scripted.open, ...device });
    const answers = [tpm.use(look), tpm.use(look)];
    await new Promise((resolve) => setImmediate(resolve));
    expect([scripted.opened, scripted.sent.length]).toEqual([1, 1]);
    first.resolve(publicArea);
    await Promise.all(answers);
    expect([scripted.opened, scripted.lines]).toEqual([2, 0]);
  });

  test("frees what it made when it ends, and when it fails", async () => {
    const scripted = new ScriptedTpm([session, success, session, refusal(0x101), success]);
    await using tpm = new Tpm({ open: scripted.open, ...device });
    await tpm.use(begin);
    expect(scripted.sent[1]).toBe(flushed);
    await expect(
      tpm.use(async (scope) => {
        await begin(scope);
        await look(scope);
      }),
    ).rejects.toMatchObject({ code: "tpm.refused" });
    expect(scripted.sent.at(-1)).toBe(flushed);
  });

  test("frees what it made although the rest of the answer is no good", async () => {
    const scripted = new ScriptedTpm(["80010000000f000000000300000100"]);
    await using tpm = new Tpm({ open: scripted.open, ...device });
    await expect(tpm.use(begin)).rejects.toMatchObject({ code: "tpm.malformed-response" });
    expect(scripted.sent.at(-1)).toBe(flushed);
  });

  test("frees over a new line what it made over one that broke", async () => {
    const broken = new LandfallError("tpm.unavailable", "gone");
    const scripted = new ScriptedTpm([session, () => Promise.reject(broken)]);
    await using tpm = new Tpm({ open: scripted.open, ...device });
    const work = tpm.use(async (scope) => {
      await begin(scope);
      await look(scope);
    });
    await expect(work).rejects.toBe(broken);
    expect(scripted.sent.at(-1)).toBe(flushed);
    expect([scripted.opened, scripted.lines]).toEqual([2, 0]);
  });

  test("that is aborted rejects at once, and still frees what its last command made", async () => {
    const answer = deferred<string>();
    const scripted = new ScriptedTpm([answer.promise]);
    await using tpm = new Tpm({ open: scripted.open, ...device });
    const abort = new AbortController();
    const work = tpm.use(begin, { signal: abort.signal });
    await expect.poll(() => scripted.sent.length).toBe(1);
    const reason = new Error("enough");
    abort.abort(reason);
    await expect(work).rejects.toBe(reason);
    answer.resolve(session);
    await tpm.use(look).catch(() => {});
    expect(scripted.sent[1]).toBe(flushed);
  });

  test("that is aborted while it waits for its turn never begins", async () => {
    const answer = deferred<string>();
    const scripted = new ScriptedTpm([answer.promise]);
    await using tpm = new Tpm({ open: scripted.open, ...device });
    const first = tpm.use(begin);
    const abort = new AbortController();
    const second = tpm.use(look, { signal: abort.signal });
    abort.abort(new Error("enough"));
    await expect(second).rejects.toThrow("enough");
    answer.resolve(session);
    await first;
    expect(scripted.opened).toBe(1);
  });
});

describe("a TPM that is busy", () => {
  test.each([0x922, 0x908, 0x90a, 0x920])("and answers %i is asked again, with pauses that double", async (code) => {
    const clock = new FakeClock();
    const scripted = new ScriptedTpm([refusal(code), refusal(code), publicArea]);
    await using tpm = new Tpm({ open: scripted.open, clock });
    const work = tpm.use(look);
    await clock.sleeping();
    await clock.advance(20);
    await clock.advance(39);
    expect(scripted.sent).toHaveLength(2);
    await clock.advance(1);
    await work;
    expect(scripted.sent).toHaveLength(3);
  });

  test("because another program has it is opened again", async () => {
    const clock = new FakeClock();
    const scripted = new ScriptedTpm([publicArea]);
    let taken = 2;
    const open = async () => {
      if (taken-- > 0) throw new LandfallError("tpm.busy", "taken");
      return scripted.open();
    };
    await using tpm = new Tpm({ open, clock });
    const work = tpm.use(look);
    await clock.sleeping();
    await clock.advance(20 + 40);
    await work;
    expect(scripted.lines).toBe(0);
  });

  test("is not asked for ever", async () => {
    const clock = new FakeClock();
    const scripted = new ScriptedTpm([], refusal(0x922));
    await using tpm = new Tpm({ open: scripted.open, clock });
    const work = expect(tpm.use(look)).rejects.toMatchObject({ code: "tpm.busy" });
    await clock.advance(6000);
    await work;
    expect(scripted.sent).toHaveLength(9);
  });

  test("is left at once by an abort", async () => {
    const clock = new FakeClock();
    const scripted = new ScriptedTpm([], refusal(0x922));
    await using tpm = new Tpm({ open: scripted.open, clock });
    const abort = new AbortController();
    const work = tpm.use(look, { signal: abort.signal });
    await clock.sleeping();
    abort.abort(new Error("enough"));
    await expect(work).rejects.toThrow("enough");
    await expect.poll(() => scripted.lines).toBe(0);
    expect(clock.pending).toEqual([]);
  });
});

describe("a TPM that says nothing", () => {
  const silence = () => new Promise<string>(() => {});

  test("is given up when its time is over; the next piece of work finds a new line", async () => {
    const clock = new FakeClock();
    const scripted = new ScriptedTpm([silence, publicArea]);
    await using tpm = new Tpm({ open: scripted.open, clock, commandTimeoutMs: 5000 });
    const work = expect(tpm.use(look)).rejects.toMatchObject({
      code: "tpm.timeout",
      message: "The TPM did not answer within 5000 ms (TPM2_ReadPublic).",
    });
    await clock.sleeping();
    await expect.poll(() => scripted.sent.length).toBe(1);
    await clock.advance(5000);
    await work;
    expect(await tpm.use(look)).toEqual(Buffer.from("0003aabbcc", "hex"));
    expect(scripted.lines).toBe(0);
  });

  test("does not hold up a close for longer than three seconds", async () => {
    const clock = new FakeClock();
    const scripted = new ScriptedTpm([silence]);
    const tpm = new Tpm({ open: scripted.open, clock });
    const work = expect(tpm.use(look)).rejects.toMatchObject({ code: "tpm.closed" });
    await expect.poll(() => scripted.sent.length).toBe(1);
    const closed = tpm.close();
    await work;
    await clock.advance(3000);
    await closed;
    expect(scripted.lines).toBe(0);
  });
});

test("a TPM that was closed does no more work, and is closed once", async () => {
  const scripted = new ScriptedTpm();
  const tpm = new Tpm({ open: scripted.open, ...device });
  await Promise.all([tpm.close(), tpm.close()]);
  await expect(tpm.use(look)).rejects.toMatchObject({ code: "tpm.closed" });
  expect(scripted.opened).toBe(0);
});
