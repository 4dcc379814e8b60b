import { afterEach, describe, expect, test } from "vitest";
import { deferred } from "../../../src/deferred.ts";
import { Secret } from "../../../src/secret.ts";
import type { CborMap } from "../../../src/serial/cbor.ts";
import { CommandsGroup } from "../../../src/serial/groups/commands-group.ts";
import { IdentityGroup } from "../../../src/serial/groups/identity-group.ts";
import { ImageGroup } from "../../../src/serial/groups/image-group.ts";
import { OsGroup } from "../../../src/serial/groups/os-group.ts";
import { SettingsGroup } from "../../../src/serial/groups/settings-group.ts";
import { StatisticsGroup } from "../../../src/serial/groups/statistics-group.ts";
import { allowTelemetry, type McuMessage, telemetryReceiver } from "../../../src/serial/groups/telemetry-group.ts";
import { TpmTunnel } from "../../../src/serial/groups/tpm-tunnel.ts";
import type { SmpRefusal } from "../../../src/serial/smp-faults.ts";
import { SmpLink } from "../../../src/serial/smp-link.ts";
import { FakeClock } from "../../../src/testing/fake-clock.ts";
import { contractFault } from "../../support/mcu-contract.ts";
import { ScriptedMcu } from "../../support/scripted-mcu.ts";
import { fromHex, packetVector, vectorValue } from "./smp-vectors.ts";

const open: SmpLink[] = [];
const spokenTo: ScriptedMcu[] = [];
afterEach(async () => {
  for (const link of open.splice(0)) await link.close();
  // Whatever a test was about: all that was sent follows the contract with firmware.
  const sent = spokenTo.splice(0).flatMap((mcu) => mcu.seen.all);
  expect(sent.map(contractFault).filter((fault) => fault !== undefined)).toEqual([]);
});

async function scene() {
  const clock = new FakeClock();
  const mcu = new ScriptedMcu();
  spokenTo.push(mcu);
  const link = await SmpLink.start({ port: mcu.port, clock, random: () => 0.5 });
  open.push(link);
  return { clock, mcu, link };
}

/** The body of a vector. */
const body = (name: string): CborMap => vectorValue(packetVector(name).body) as CborMap;
const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, (_, index) => index & 0xff);
const hash = bytes(32);

/** Every call, with the request that the vectors have for it and an answer. */
type Call = [request: string, answer: CborMap | string, call: (link: SmpLink) => Promise<unknown>, result: unknown];
const calls: Call[] = [
  ["echo request, version 2", "echo response, version 2", (link) => new OsGroup(link).echo("hi"), "hi"],
  ["reset request", {}, (link) => new OsGroup(link).reset(), undefined],
  [
    "image state request",
    "image state response",
    (link) => new ImageGroup(link).slots(),
    [
      expect.objectContaining({ image: 0, slot: 0, version: "1.2.3", active: true, confirmed: true, pending: false }),
      expect.objectContaining({ slot: 1, version: "1.3.0", active: false, bootable: true, permanent: false }),
    ],
  ],
  ["test an image", { images: [] }, (link) => new ImageGroup(link).test(bytes(0xa0).slice(0x80)), []],
  ["confirm the running image", {}, (link) => new ImageGroup(link).confirm(), []],
  ["erase request", {}, (link) => new ImageGroup(link).erase(), undefined],
  ["setting written", {}, (link) => new SettingsGroup(link).write("sampling/period_ms", 5000), undefined],
  ["settings committed", {}, (link) => new SettingsGroup(link).commit(), undefined],
  [
    "identity request",
    "identity response",
    (link) => new IdentityGroup(link).identity(),
    { registrationId: "press-7", kinds: ["sas", "p256"], longestTokenLifeSeconds: 86_400, boot: 3_141_592_653 },
  ],
  [
    "token for DPS",
    { token: "SharedAccessSignature sr=x" },
    async (link) => {
      const times = { nowSeconds: 1_767_222_000, expiresAtSeconds: 1_767_225_600 };
      return (await new IdentityGroup(link).token({ service: "dps", scope: "0ne00ABCDEF", ...times })).reveal();
    },
    "SharedAccessSignature sr=x",
  ],
  [
    "token for a hub, under another device id",
    { token: "t" },
    (link) =>
      new IdentityGroup(link).token({
        service: "hub",
        scope: "plant-1.azure-devices.net",
        deviceId: "press-seven",
        nowSeconds: 1_767_222_000,
        expiresAtSeconds: 1_767_225_600,
      }),
    expect.any(Secret),
  ],
  ["signature request", { sig: bytes(70) }, (link) => new IdentityGroup(link).sign(bytes(0x40).slice(0x20)), bytes(70)],
  ["pushing allowed", "pushing allowed, answered", (link) => allowTelemetry(link, true), 3_141_592_653],
  [
    "command request",
    "command response",
    (link) =>
      new CommandsGroup(link).execute({ id: "6f1c2d3e-0001", boot: 3_141_592_653, name: "blink", args: { times: 3 } }),
    { status: 200, result: { done: 3 } },
  ],
];

describe("a call", () => {
  test.each<Call>(calls)("%s", async (request, answer, call, result) => {
    const { mcu, link } = await scene();
    const { group, command, op } = packetVector(request);
    mcu.on(`${group}/${command}`, () => (typeof answer === "string" ? body(answer) : answer));
    expect(await call(link)).toEqual(result);
    expect(mcu.seen.all.at(-1)).toMatchObject({ operation: op, group, command, body: body(request) });
  });

  test("reads what is left out as false, and passes over what it does not know", async () => {
    const { mcu, link } = await scene();
    mcu.on("1/0", () => ({ images: [{ slot: 0, version: "1.0.0", active: true, novelty: [1] }] }));
    expect(await new ImageGroup(link).slots()).toEqual([
      {
        image: 0,
        slot: 0,
        version: "1.0.0",
        hash: undefined,
        active: true,
        bootable: false,
        pending: false,
        confirmed: false,
        permanent: false,
      },
    ]);
  });

  test.each([
    [
      "a missing field",
      "70/0",
      { rid: "a", kinds: [], life: 1 },
      /identity: expected a whole number as "boot", got nothing/,
    ],
    ["a field of another kind", "70/0", { rid: 7, kinds: [], life: 1, boot: 1 }, /expected a text as "rid", got 7/],
    ["a list of other things", "70/0", { rid: "a", kinds: [1], life: 1, boot: 1 }, /a list of texts as "kinds"/],
    ["a number below 0", "70/0", { rid: "a", kinds: [], life: -1, boot: 1 }, /a whole number as "life", got -1/],
  ] as const)("is told what is wrong with an answer: %s", async (_, command, answer, message) => {
    const { mcu, link } = await scene();
    mcu.on(command, () => answer);
    await expect(new IdentityGroup(link).identity()).rejects.toMatchObject({
      code: "smp.malformed",
      message: expect.stringMatching(message),
    });
  });

  test("keeps a boot number that a number cannot hold", async () => {
    const { mcu, link } = await scene();
    mcu.on("71/0", () => ({ boot: 0xffff_ffff_ffff_ffffn }));
    expect(await allowTelemetry(link, false)).toBe(0xffff_ffff_ffff_ffffn);
  });

  test("a token never shows", async () => {
    const { mcu, link } = await scene();
    mcu.on("70/1", () => ({ token: "SharedAccessSignature secret" }));
    const token = await new IdentityGroup(link).token({
      service: "dps",
      scope: "s",
      nowSeconds: 1,
      expiresAtSeconds: 2,
    });
    expect(`${token} ${JSON.stringify(token)}`).not.toContain("SharedAccess");
  });
});

describe("statistics and settings", () => {
  test("are listed and read", async () => {
    const { mcu, link } = await scene();
    mcu.on("2/1", () => body("statistics, list response")).on("2/0", () => body("statistics, group response"));
    const statistics = new StatisticsGroup(link);
    expect(await statistics.names()).toEqual(["link", "sensor"]);
    expect(await statistics.read("link")).toEqual({ crc_errors: 3, frames: 70_000 });
    mcu.on("2/0", () => ({ name: "link", fields: { x: "many" } }));
    await expect(statistics.read("link")).rejects.toMatchObject({ code: "smp.malformed" });
  });

  test("a setting is one CBOR item", async () => {
    const { mcu, link } = await scene();
    const settings = new SettingsGroup(link);
    mcu.on("3/0", () => ({ val: fromHex("bf6161182aff") }));
    expect(await settings.read("a")).toEqual({ a: 42 });
    mcu.on("3/0", () => ({ val: fromHex("0101") }));
    await expect(settings.read("a")).rejects.toMatchObject({ code: "smp.malformed" });
    mcu.on("3/0", () => ({ err: { group: 3, rc: 5 } }));
    await expect(settings.write("b", 1)).rejects.toMatchObject({ code: "smp.refused", message: /no such setting/ });
  });
});

describe("the certificates", () => {
  const chain = bytes(700);
  const pieceFrom = (off: number, length = chain.length): CborMap => ({
    off,
    len: length,
    data: chain.subarray(off, off + 256),
  });

  test("are put together from pieces", async () => {
    const { mcu, link } = await scene();
    mcu.on("70/2", ({ body: { off } }) => pieceFrom(off as number));
    expect(Buffer.from(await new IdentityGroup(link).certificates())).toEqual(Buffer.from(chain));
    expect(mcu.bodies("70/2")).toEqual([{ off: 0 }, { off: 256 }, { off: 512 }]);
  });

  test.each([
    ["a piece from elsewhere", (off: number) => ({ ...pieceFrom(off), off: off + 1 })],
    ["a whole that grows", (off: number) => pieceFrom(off, 700 + off)],
    ["a piece beyond the end", () => ({ off: 0, len: 10, data: bytes(11) })],
    ["nothing although there is more", (off: number) => ({ off, len: 700, data: bytes(0) })],
    ["more than any chain has", () => ({ off: 0, len: 1e9, data: bytes(10) })],
  ])("are refused: %s", async (_, piece) => {
    const { mcu, link } = await scene();
    mcu.on("70/2", ({ body: { off } }) => piece(off as number));
    await expect(new IdentityGroup(link).certificates()).rejects.toMatchObject({ code: "smp.malformed" });
  });
});

describe("a TPM behind the MCU", () => {
  /** Takes a command in pieces, answers it with its bytes turned round. */
  function tpm(mcu: ScriptedMcu): { commands: Uint8Array[] } {
    const commands: Uint8Array[] = [];
    let held = Buffer.alloc(0);
    mcu.on("70/4", ({ operation, body: { off, len, data } }) => {
      const answer = Buffer.from(commands.at(-1) ?? []).reverse();
      if (operation === "read") {
        const from = off as number;
        return { off: from, len: answer.length, data: answer.subarray(from, from + 300) };
      }
      if (off === 0) held = Buffer.alloc(0);
      if (off === held.length) held = Buffer.concat([held, data as Uint8Array]);
      if (held.length < (len as number)) return { off: held.length };
      commands.push(held);
      return { off: held.length, rlen: held.length };
    });
    return { commands };
  }

  test.each([1, 330, 1000, 4096])("gets a command of %i bytes and answers it", async (length) => {
    const { mcu, link } = await scene();
    const { commands } = tpm(mcu);
    const command = bytes(length);
    const answer = await new TpmTunnel(link, () => 0).transmit(command);
    expect(commands).toEqual([Buffer.from(command)]);
    expect(Buffer.from(answer)).toEqual(Buffer.from(command).reverse());
    expect(new Set(mcu.bodies("70/4").map(({ id }) => id))).toEqual(new Set([1]));
  });

  test("gets one command at a time, each under a number of its own", async () => {
    const { mcu, link } = await scene();
    const { commands } = tpm(mcu);
    const tunnel = new TpmTunnel(link, () => 0);
    const [one, other] = await Promise.all([tunnel.transmit(bytes(1000)), tunnel.transmit(bytes(500))]);
    expect([one.length, other.length]).toEqual([1000, 500]);
    expect(commands.map(({ length }) => length)).toEqual([1000, 500]);
  });

  test("is not asked for what it could not take, and does not keep us going round", async () => {
    const { mcu, link } = await scene();
    const tunnel = new TpmTunnel(link);
    await expect(tunnel.transmit(bytes(0))).rejects.toMatchObject({ code: "smp.too-large" });
    await expect(tunnel.transmit(bytes(4097))).rejects.toMatchObject({ code: "smp.too-large" });
    mcu.on("70/4", () => ({ off: 0 }));
    await expect(tunnel.transmit(bytes(1000))).rejects.toMatchObject({ code: "smp.malformed" });
  });
});

describe("a command", () => {
  test("that takes its time is asked for again with its id", async () => {
    const { mcu, link, clock } = await scene();
    const answers = [body("command still under way"), body("command still under way"), body("command response")];
    mcu.on("72/0", () => answers.shift() ?? {});
    const done = new CommandsGroup(link, clock).execute({ id: "a", boot: 1, name: "slow" });
    await mcu.seen.nth(1);
    await clock.advance(1_000);
    expect(await done).toEqual({ status: 200, result: { done: 3 } });
    expect(mcu.bodies("72/0")).toEqual(Array(3).fill({ id: "a", boot: 1, name: "slow" }));
  });

  test("whose answer is lost is said again with its id", async () => {
    const { mcu, link, clock } = await scene();
    let said = 0;
    mcu.on("72/0", () => (++said === 1 ? undefined : { id: "a", status: 200 }));
    const done = new CommandsGroup(link, clock).execute({ id: "a", boot: 1, name: "x" });
    await mcu.seen.nth(1);
    await clock.advance(2_000);
    expect(await done).toEqual({ status: 200 });
  });

  test("of another life of the firmware is refused", async () => {
    const { mcu, link } = await scene();
    mcu.on("72/0", () => body("command refused, of another life"));
    const error = await new CommandsGroup(link).execute({ id: "a", boot: 1, name: "x" }).catch((reason) => reason);
    expect((error as SmpRefusal).is("badState")).toBe(true);
  });

  test("is one of those that there are", async () => {
    const { mcu, link } = await scene();
    mcu.on("72/1", () => body("commands response"));
    expect(await new CommandsGroup(link).names()).toEqual(["blink", "reboot"]);
  });
});

describe("telemetry of the MCU", () => {
  const pushed = body("telemetry from the MCU");
  const push = (more: CborMap = {}) => ({ operation: "write", command: 1, body: { ...pushed, ...more } }) as const;

  test("is passed on with all it has, and answered once it has been", async () => {
    const seen: McuMessage[] = [];
    let finish = (): void => {};
    const receive = telemetryReceiver(async (message) => {
      seen.push(message);
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
    });
    let answered: unknown;
    const done = receive(push()).then((answer) => {
      answered = answer;
    });
    await Promise.resolve();
    expect(answered).toBeUndefined();
    finish();
    await done;
    expect(answered).toEqual(body("telemetry from the MCU, answered"));
    expect(seen).toEqual([
      {
        boot: 3_141_592_653,
        number: 0,
        uptimeMs: 1500,
        data: { temperature: 21.5, pressing: false },
        properties: { unit: "C" },
      },
    ]);
  });

  test("is passed on once, however often it is said, while it is under way and after", async () => {
    const seen: number[] = [];
    const passed = deferred<void>();
    const receive = telemetryReceiver(async ({ number }) => {
      seen.push(number);
      await passed.promise;
    });
    const sayings = [receive(push()), receive(push()), receive(push())];
    passed.resolve();
    // Only the last is answered: in a week without a hub they would heap up.
    expect(await Promise.allSettled(sayings)).toMatchObject([
      { status: "rejected", reason: expect.not.objectContaining({ fault: expect.anything() }) },
      { status: "rejected" },
      { status: "fulfilled", value: { n: 0 } },
    ]);
    expect(await receive(push())).toEqual({ n: 0 });
    await receive(push({ n: 1 }));
    await receive(push({ n: 1 }));
    expect(seen).toEqual([0, 1]);
  });

  test("is passed on one at a time, whatever the MCU does", async () => {
    const seen: number[] = [];
    const passed = deferred<void>();
    const receive = telemetryReceiver(async ({ number }) => {
      seen.push(number);
      await passed.promise;
    });
    const first = receive(push());
    await expect(receive(push({ n: 1 }))).rejects.toMatchObject({ fault: { group: 71, rc: 10 } });
    passed.resolve();
    expect(await first).toEqual({ n: 0 });
    expect(await receive(push({ n: 1 }))).toEqual({ n: 1 });
    expect(seen).toEqual([0, 1]);
  });

  test("of another life is another message", async () => {
    const seen: unknown[] = [];
    const receive = telemetryReceiver(async ({ boot }) => void seen.push(boot));
    await receive(push());
    await receive(push({ boot: 7 }));
    expect(seen).toEqual([3_141_592_653, 7]);
  });

  test("that could not be passed on is tried again when it is said again", async () => {
    let tries = 0;
    const receive = telemetryReceiver(async () => {
      tries += 1;
      if (tries === 1) throw new Error("no hub");
    });
    await expect(receive(push())).rejects.toThrow("no hub");
    expect(await receive(push())).toEqual({ n: 0 });
    expect(tries).toBe(2);
  });

  test.each([
    ["no number", { n: "x" }],
    ["data that is no map", { data: [1] }],
    ["a property that is no text", { props: { a: 1 } }],
  ] as const)("is refused as invalid: %s", async (_, wrong) => {
    const receive = telemetryReceiver(async () => {});
    await expect(receive(push(wrong))).rejects.toMatchObject({ fault: { group: 71, rc: 3 } });
  });

  test("other commands of its group are not supported", async () => {
    const receive = telemetryReceiver(async () => {});
    await expect(receive({ ...push(), command: 2 })).rejects.toMatchObject({ fault: { rc: 8 } });
  });
});

test("a signature beyond the limit is refused as busy", async () => {
  const { mcu, link } = await scene();
  mcu.on("70/3", () => body("signature refused for now, busy"));
  await expect(new IdentityGroup(link).sign(hash)).rejects.toMatchObject({ code: "smp.busy" });
});
