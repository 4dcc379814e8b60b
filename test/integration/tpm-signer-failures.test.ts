import { createHash, verify } from "node:crypto";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { Tpm } from "../../src/keys/tpm/tpm.ts";
import { TpmDigestSigner } from "../../src/keys/tpm/tpm-digest-signer.ts";
import { DoctoredDevice } from "../support/doctored-device.ts";
import { makeTpmKey } from "../support/hardware-tpm.ts";
import { Swtpm } from "../support/swtpm.ts";
import { lacks } from "../support/system-peer.ts";
import { openerAt } from "../support/tpm-at.ts";

const text = Buffer.from("a handshake");
const digest = createHash("sha256").update(text).digest();

/** What a signature with a key in a file takes: TPM2_Load, TPM2_Sign, TPM2_FlushContext. */
const commands = [0x157, 0x15d, 0x165];

describe.skipIf(lacks("swtpm") || lacks("tpm2_getcap"))("a TPM that gets into trouble while it signs for TLS", () => {
  const swtpm = new Swtpm();
  let device: DoctoredDevice;
  let signer: TpmDigestSigner;

  beforeAll(async () => {
    const key = await makeTpmKey(swtpm);
    device = new DoctoredDevice(openerAt(swtpm.location));
    signer = await TpmDigestSigner.open(new Tpm({ open: device.open }), { kind: "file", path: "device.tss2.pem", key });
    return () => signer.close();
  });
  beforeEach(() => device.reset());

  const expectSignature = async (): Promise<void> => {
    device.reset();
    expect(verify("sha256", text, signer.publicKey, await signer.sign(digest))).toBe(true);
    expect(device.lines).toBe(0);
    expect(await swtpm.leftovers()).toBe("");
  };

  test("signs what the public key verifies, and keeps nothing loaded", async () => {
    await expectSignature();
    expect(device.sent).toEqual(commands);
  });

  test.each([1, 2])("is away when it dies in command %i, and signs when it is back", async (fatal) => {
    device.intercept = async ({ number, pass }) => {
      if (number === fatal) await swtpm.kill();
      return pass();
    };
    await expect(signer.sign(digest)).rejects.toMatchObject({ code: "tpm.unavailable" });
    await swtpm.start();
    await expectSignature();
  });

  test.each([1, 2])("is left clean when it refuses command %i", async (refused) => {
    const failure = Buffer.from("80010000000a00000101", "hex"); // TPM_RC_FAILURE
    device.intercept = ({ number, pass }) => (number === refused ? Promise.resolve(failure) : pass());
    await expect(signer.sign(digest)).rejects.toMatchObject({ code: "tpm.refused" });
    expect(await swtpm.leftovers()).toBe("");
    await expectSignature();
  });

  test.each([1, 2, 3])("is left clean by an abort in command %i, which is told at once", async (last) => {
    const abort = new AbortController();
    const reason = new Error("enough");
    device.intercept = async ({ number, pass }) => {
      if (number === last) abort.abort(reason);
      return pass();
    };
    await expect(signer.sign(digest, abort)).rejects.toBe(reason);
    await expectSignature();
  });
});
