import { beforeAll, describe, expect, test } from "vitest";
import { parseTpmLocation } from "../../src/config/tpm-location.ts";
import { buildEngine } from "../../src/keys/engine/build-engine.ts";
import { openKey } from "../../src/keys/open-key.ts";
import { createSigningKey, persistSigningKey } from "../../src/keys/tpm/create-signing-key.ts";
import { deviceOpener } from "../../src/keys/tpm/open-device.ts";
import { Tpm } from "../../src/keys/tpm/tpm.ts";
import { ScratchFolder } from "../support/scratch-folder.ts";
import { Swtpm } from "../support/swtpm.ts";
import { lacks } from "../support/system-peer.ts";

const root = { template: "tcg", passwords: {}, readOnly: false } as const;

describe.skipIf(["swtpm", "cc"].some(lacks))("a key in a TPM", () => {
  const scratch = new ScratchFolder();
  const swtpm = new Swtpm();

  const inTpm = async <T>(work: Parameters<Tpm["use"]>[0]): Promise<T> => {
    const location = parseTpmLocation(swtpm.location);
    if (location === undefined) throw new Error(`no location: ${swtpm.location}`);
    await using tpm = new Tpm({ open: deviceOpener(location) });
    return (await tpm.use(work)) as T;
  };
  const at = (uri: string): string => `${uri};at=${swtpm.location}`;

  beforeAll(async () => {
    process.env.LANDFALL_ENGINES = scratch.file("engines");
    await buildEngine({ folder: scratch.file("engines") });
    await inTpm(async (scope) => {
      const key = await createSigningKey(scope, { root });
      await persistSigningKey(scope, key, { handle: 0x81010010, root });
    });
  });

  test("is opened", async () => {
    const { key } = await openKey(at("tpm:handle=0x81010010"), { password: undefined, certificate: undefined });
    expect(key.publicKey.asymmetricKeyDetails?.namedCurve).toBe("prime256v1");
    await key.secureContext({});
    await key.close();
  });
});
