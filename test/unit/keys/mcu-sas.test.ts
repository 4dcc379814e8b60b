import { afterEach, describe, expect, test } from "vitest";
import { sasCredential } from "../../../src/attestation/sas-token.ts";
import type { SasRequest } from "../../../src/keys/credential.ts";
import { mcuSasCredential } from "../../../src/keys/mcu-sas.ts";
import { SymmetricKey } from "../../../src/keys/symmetric-key.ts";
import { SmpLink } from "../../../src/serial/smp-link.ts";
import { FakeClock } from "../../../src/testing/fake-clock.ts";
import { ScriptedMcu } from "../../support/scripted-mcu.ts";

const open: SmpLink[] = [];
afterEach(async () => {
  for (const link of open.splice(0)) await link.close();
});

const key = SymmetricKey.fromBytes(new Uint8Array(32).fill(7));
const hour = 3600;

/** An MCU that writes tokens as the contract has it, or as a test spoils them. */
async function scene({ rid = "press-7", life = 24 * hour, spoil = (text: string) => text } = {}) {
  const clock = new FakeClock();
  const mcu = new ScriptedMcu();
  mcu.on("70/0", () => ({ rid, kinds: ["sas"], life, boot: 1 }));
  mcu.on("70/1", async ({ body }) => {
    const {
      for: service,
      scope,
      dev,
      exp,
      now,
    } = body as unknown as { for: string; scope: string; dev?: string; exp: number; now: number };
    if (exp - now > life) return { err: { group: 70, rc: 3 } };
    const resource = service === "dps" ? `${scope}/registrations/${rid}` : `${scope}/devices/${dev ?? rid}`;
    const keyName = service === "dps" ? { keyName: "registration" } : {};
    const { text } = await sasCredential(key).token({ resource, ...keyName, expiresAtMs: exp * 1000 });
    return { token: spoil(text.reveal()) };
  });
  const link = await SmpLink.start({ port: mcu.port, clock, random: () => 0.5 });
  open.push(link);
  return { clock, mcu, credential: mcuSasCredential(link, { registrationId: "press-7", clock }) };
}

const dps = (clock: FakeClock, seconds = hour): SasRequest => ({
  resource: "0ne00ABCDEF/registrations/press-7",
  keyName: "registration",
  expiresAtMs: clock.now() + seconds * 1000,
});
const hub = (clock: FakeClock, deviceId = "press-7"): SasRequest => ({
  resource: `plant-1.azure-devices.net/devices/${deviceId}`,
  expiresAtMs: clock.now() + hour * 1000 + 999,
});

describe("a credential in an MCU", () => {
  test("has it write the token for DPS that the key would give here", async () => {
    const { clock, mcu, credential } = await scene();
    const request = dps(clock);
    const token = await credential.token(request);
    expect(token.text.reveal()).toBe((await sasCredential(key).token(request)).text.reveal());
    expect(token.expiresAtMs).toBe(request.expiresAtMs);
    const now = clock.now() / 1000;
    expect(mcu.bodies("70/1")).toEqual([{ for: "dps", scope: "0ne00ABCDEF", now, exp: now + hour }]);
  });

  test("has it write the token for a hub, under the device id there", async () => {
    const { clock, mcu, credential } = await scene();
    const scope = "plant-1.azure-devices.net";
    const { text } = await credential.token(hub(clock));
    expect(text.reveal()).toBe((await sasCredential(key).token(hub(clock))).text.reveal());
    await credential.token(hub(clock, "press/seven"));
    const now = clock.now() / 1000;
    expect(mcu.bodies("70/1")).toEqual([
      { for: "hub", scope, now, exp: now + hour },
      { for: "hub", scope, dev: "press/seven", now, exp: now + hour },
    ]);
  });

  test("asks for no longer life than the MCU allows, and tells so", async () => {
    const { clock, credential } = await scene({ life: 600 });
    expect((await credential.token(dps(clock))).expiresAtMs).toBe(clock.now() + 600_000);
  });

  test.each([
    ["dps", dps],
    ["hub", hub],
  ])("refuses to speak for another device: %s", async (_, request) => {
    const { clock, mcu, credential } = await scene({ rid: "press-8" });
    await expect(credential.token(request(clock))).rejects.toMatchObject({
      code: "key.of-other-device",
      message: "expected the device press-7 at the serial port, got press-8",
    });
    expect(mcu.bodies("70/1")).toEqual([]);
  });

  test("passes on that the MCU refuses", async () => {
    const { clock, mcu, credential } = await scene();
    mcu.on("70/1", () => ({ err: { group: 70, rc: 11 } }));
    await expect(credential.token(dps(clock))).rejects.toMatchObject({ code: "smp.refused", message: /access denied/ });
  });

  test.each([
    ["scheme", (text: string) => text.replace("SharedAccessSignature", "Bearer")],
    ["resource", (text: string) => text.replace("press-7", "press-9")],
    ["expiry", (text: string) => text.replace(/se=\d+/, "se=9999999999")],
    ["key name", (text: string) => text.replace("skn=registration", "skn=owner")],
    ["signature", (text: string) => text.replace(/sig=[^&]+/, "sig=")],
    ["scheme, resource, expiry, key name, signature", () => "oops"],
  ])("takes no token with another %s than it asked for, and does not show it", async (part, spoil) => {
    const { clock, credential } = await scene({ spoil });
    const error: Error = await credential.token(dps(clock)).then(
      () => new Error("no error"),
      (reason) => reason,
    );
    expect(error.message).toBe(`the MCU wrote a token with another ${part} than it was asked for`);
    expect(error).toMatchObject({ code: "smp.malformed" });
  });

  test("waits for a port that is away, and no longer than it may", async () => {
    const { clock, mcu, credential } = await scene();
    await mcu.port.opened(1);
    mcu.port.unplug();
    await clock.advance(1_000);
    const abandon = new AbortController();
    const abandoned = expect(credential.token(dps(clock), abandon)).rejects.toThrow("enough");
    abandon.abort(new Error("enough"));
    await abandoned;
    const waiting = credential.token(dps(clock));
    mcu.port.plug();
    await clock.advance(10_000);
    expect((await waiting).expiresAtMs).toBeGreaterThan(clock.now());
  });
});
