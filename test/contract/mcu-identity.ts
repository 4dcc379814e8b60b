import { createHash, createHmac, verify, X509Certificate } from "node:crypto";
import { expect, test } from "vitest";
import { IdentityGroup } from "../../src/serial/groups/identity-group.ts";
import { fault, type McuFacts, type Scene } from "./mcu-scene.ts";

/** Who an MCU is, and what it signs. */
export function identityContract(get: () => Scene, { symmetricKey, certificate }: McuFacts): void {
  const identity = (): IdentityGroup => new IdentityGroup(get().client);
  const nowSeconds = 1_767_222_000;

  test("has a registration id", async () => {
    expect((await identity().identity()).registrationId).toMatch(/^[\w.:-]{1,128}$/);
  });

  if (symmetricKey !== undefined) {
    const sign = (resource: string, expiry: number): string =>
      createHmac("sha256", Buffer.from(symmetricKey, "base64")).update(`${resource}\n${expiry}`).digest("base64");
    const parts = (text: string): URLSearchParams => {
      expect(text).toMatch(/^SharedAccessSignature /);
      return new URLSearchParams(text.slice("SharedAccessSignature ".length).replaceAll("+", "%2B"));
    };

    test("writes a token for the provisioning service", async () => {
      const { registrationId, kinds } = await identity().identity();
      expect(kinds).toContain("sas");
      const expiresAtSeconds = nowSeconds + 3_600;
      const asked = { service: "dps", scope: "0ne00ABCDEF", nowSeconds, expiresAtSeconds } as const;
      const token = parts((await identity().token(asked)).reveal());
      const resource = `0ne00ABCDEF/registrations/${registrationId}`;
      expect(token.get("sr")).toBe(resource);
      expect(token.get("se")).toBe(`${expiresAtSeconds}`);
      expect(token.get("skn")).toBe("registration");
      expect(token.get("sig")).toBe(sign(encodeURIComponent(resource), expiresAtSeconds));
    });

    test("writes a token for a hub, under another device id where it has one there", async () => {
      const expiresAtSeconds = nowSeconds + 60;
      const asked = { service: "hub", scope: "plant.azure-devices.net", nowSeconds, expiresAtSeconds } as const;
      const { registrationId } = await identity().identity();
      expect(parts((await identity().token(asked)).reveal()).get("sr")).toBe(
        `plant.azure-devices.net/devices/${registrationId}`,
      );
      const other = parts((await identity().token({ ...asked, deviceId: "press-seven" })).reveal());
      expect(other.get("sr")).toBe("plant.azure-devices.net/devices/press-seven");
      expect(other.get("skn")).toBeNull();
      const encoded = encodeURIComponent("plant.azure-devices.net/devices/press-seven");
      expect(other.get("sig")).toBe(sign(encoded, expiresAtSeconds));
    });

    test("refuses a token whose life is too long, over, or none", async () => {
      const { longestTokenLifeSeconds } = await identity().identity();
      for (const life of [longestTokenLifeSeconds + 1, 0, -1]) {
        const expiresAtSeconds = nowSeconds + life;
        const asked = { service: "dps", scope: "0ne00ABCDEF", nowSeconds, expiresAtSeconds } as const;
        expect(await fault(identity().token(asked))).toEqual({ group: 70, rc: 3 });
      }
      const expiresAtSeconds = nowSeconds + longestTokenLifeSeconds;
      await identity().token({ service: "dps", scope: "0ne00ABCDEF", nowSeconds, expiresAtSeconds });
    });
  }

  if (certificate !== undefined) {
    test("hands out its certificate, and signs digests with its key", async () => {
      const { raw, publicKey } = new X509Certificate(certificate);
      expect((await identity().identity()).kinds).toContain("p256");
      expect(Buffer.from(await identity().certificates()).equals(raw)).toBe(true);
      const message = Buffer.from("what TLS has to say");
      const signature = await identity().sign(createHash("sha256").update(message).digest());
      expect(verify("sha256", message, publicKey, signature)).toBe(true);
    });

    test("signs digests of 32 bytes, and nothing else", async () => {
      for (const length of [0, 31, 33]) {
        expect(await fault(identity().sign(new Uint8Array(length)))).toEqual({ group: 70, rc: 3 });
      }
    });

    test("is busy when too many signatures are asked for", async () => {
      const digest = new Uint8Array(32);
      let last: unknown;
      for (let signatures = 0; last === undefined && signatures < 100; signatures++) {
        last = await identity()
          .sign(digest)
          .then(
            () => undefined,
            (error: unknown) => error,
          );
      }
      expect(last).toMatchObject({ code: "smp.busy" });
    });
  }
}
