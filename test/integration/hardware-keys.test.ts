import { X509Certificate } from "node:crypto";
import tls from "node:tls";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { buildEngine } from "../../src/keys/engine/build-engine.ts";
import { formatTpmKeyFile } from "../../src/keys/tpm/key-file.ts";
import { signingPublicKey } from "../../src/keys/tpm/signing-key-area.ts";
import { AgentWorld, WorldClock } from "../support/agent-world.ts";
import { makeTpmKey } from "../support/hardware-tpm.ts";
import { openssl } from "../support/openssl.ts";
import { OpensslAuthority } from "../support/openssl-authority.ts";
import { ScratchFolder } from "../support/scratch-folder.ts";
import { lacksTokens, SoftToken } from "../support/soft-token.ts";
import { Swtpm } from "../support/swtpm.ts";
import { lacks } from "../support/system-peer.ts";

/** A key, wherever it is: its public half, and the settings that lead to it. */
interface KeyInPlace {
  readonly publicKeyPem: string;
  readonly settings: (certificate: string, certificateFile: string) => Promise<object>;
}

describe.skipIf(lacksTokens() || ["swtpm", "cc"].some(lacks))("a device comes in by mutual TLS", () => {
  const scratch = new ScratchFolder();
  const swtpm = new Swtpm();
  let world: AgentWorld;
  let authority: OpensslAuthority;
  let token: SoftToken;

  beforeAll(async () => {
    process.env.LANDFALL_ENGINES = scratch.file("engines");
    await buildEngine({ folder: scratch.file("engines") });
    token = await SoftToken.create(scratch, "device");
    authority = await OpensslAuthority.create(scratch, "Factory");
    // Its clock stands still, and openssl writes certificates that begin with the second in which they are made.
    world = await AgentWorld.open(scratch, {}, new WorldClock(Date.now() + 3_600_000));
    const attestation = { method: "x509", certificate: authority.certificatePem } as const;
    world.emulator.dps.enroll({ group: "factory", attestation });
  });
  afterAll(() => world[Symbol.asyncDispose]());

  const { DEFAULT_MAX_VERSION, connect } = tls;
  const spoken: (string | null)[] = [];
  beforeAll(() => {
    // Every connection of the device goes through here, and tells which version it came to.
    vi.spyOn(tls, "connect").mockImplementation(((...args: Parameters<typeof connect>) => {
      const socket = connect(...args);
      return socket.once("secureConnect", () => spoken.push(socket.getProtocol()));
    }) as typeof connect);
  });
  afterEach(() => {
    tls.DEFAULT_MAX_VERSION = DEFAULT_MAX_VERSION;
    spoken.length = 0;
  });
  afterAll(() => vi.restoreAllMocks());

  const softwareKey = async (kind: "ec" | "rsa"): Promise<string> => {
    const file = scratch.file(`${kind}.key`);
    const how =
      kind === "ec" ? ["EC", "-pkeyopt", "ec_paramgen_curve:P-256"] : ["RSA", "-pkeyopt", "rsa_keygen_bits:2048"];
    await openssl("genpkey", "-algorithm", ...how, "-out", file);
    return file;
  };
  const publicHalf = (keyFile: string): Promise<string> => openssl("pkey", "-in", keyFile, "-pubout");

  const inFile = async (kind: "ec" | "rsa"): Promise<KeyInPlace> => {
    const file = await softwareKey(kind);
    return {
      publicKeyPem: await publicHalf(file),
      settings: async (_, identity_cert) => ({ identity_cert, identity_pk: file }),
    };
  };
  const inPkcs12 = async (kind: "ec" | "rsa"): Promise<KeyInPlace> => {
    const key = await softwareKey(kind);
    return {
      publicKeyPem: await publicHalf(key),
      settings: async (_, certificate) => {
        const identity_pkcs12 = await scratch.write(`${kind}.p12`, "");
        await openssl(
          ...[
            "pkcs12",
            "-export",
            "-inkey",
            key,
            "-in",
            certificate,
            "-passout",
            "pass:pocket",
            "-out",
            identity_pkcs12,
          ],
        );
        return { identity_pkcs12, identity_password: { value: "pocket" } };
      },
    };
  };
  const inToken = async (kind: "ec" | "rsa"): Promise<KeyInPlace> => {
    const publicKeyPem = await token.makeKey(`${kind}-key`, kind);
    const identity_pk_password = { value: token.pin };
    return {
      publicKeyPem,
      settings: async (_, identity_cert) => ({
        identity_cert,
        identity_pk: token.uri(`${kind}-key`),
        identity_pk_password,
      }),
    };
  };
  const wholeInToken = async (): Promise<KeyInPlace> => ({
    publicKeyPem: await token.makeKey("whole", "ec"),
    settings: async (certificate) => {
      await token.writeCertificate("whole", new X509Certificate(certificate).raw);
      const uri = token.uri("whole");
      return { identity_cert: uri, identity_pk: uri, identity_pk_password: { value: token.pin } };
    },
  });
  const persistentInTpm = async (): Promise<KeyInPlace> => {
    const { publicArea } = await makeTpmKey(swtpm, { handle: 0x81010010 });
    const identity_pk = `tpm:handle=0x81010010;at=${swtpm.location}`;
    return {
      publicKeyPem: signingPublicKey(publicArea, "it").export({ type: "spki", format: "pem" }).toString(),
      settings: async (_, identity_cert) => ({ identity_cert, identity_pk }),
    };
  };
  const wrappedByTpm = async (): Promise<KeyInPlace> => {
    const key = await makeTpmKey(swtpm);
    const file = await scratch.write("device.tss2.pem", formatTpmKeyFile(key));
    const identity_pk = `tpm:file=${file};at=${swtpm.location}`;
    return {
      publicKeyPem: signingPublicKey(key.publicArea, "it").export({ type: "spki", format: "pem" }).toString(),
      settings: async (_, identity_cert) => ({ identity_cert, identity_pk }),
    };
  };

  const places: readonly (readonly [string, () => Promise<KeyInPlace>])[] = [
    ["an EC key in a file", () => inFile("ec")],
    ["an RSA key in a file", () => inFile("rsa")],
    ["an EC key in a PKCS#12 file", () => inPkcs12("ec")],
    ["an RSA key in a PKCS#12 file", () => inPkcs12("rsa")],
    ["an EC key in a token", () => inToken("ec")],
    ["an RSA key in a token", () => inToken("rsa")],
    ["an EC key beside its certificate in a token", wholeInToken],
    ["a key in a TPM", persistentInTpm],
    ["a key wrapped by a TPM", wrappedByTpm],
  ];
  const ways = (["TLSv1.2", "TLSv1.3"] as const).flatMap((version) =>
    (
      [
        ["mqtt", "mqtt"],
        ["mqtt-ws", "mqtt-ws"],
        ["https", "mqtt"],
      ] as const
    ).map(([dps, hub]) => ({ version, dps, hub })),
  );

  describe.each(places)("with %s", (title, make) => {
    const name = title
      .replace(/^an? /, "")
      .replaceAll(/[^A-Za-z0-9]+/g, "-")
      .toLowerCase();
    let attestation: object;

    beforeAll(async () => {
      const key = await make();
      const certificate = await authority.certify(key.publicKeyPem, name);
      const file = await scratch.write(`${name}.pem`, certificate);
      attestation = { method: "x509", ...(await key.settings(certificate, file)) };
    });

    test.each(ways)("over $version: DPS by $dps, hub by $hub", async ({ version, dps, hub }) => {
      tls.DEFAULT_MAX_VERSION = version;
      const provisioning = { transport: dps, always_reprovision_on_startup: true };
      await using agent = await world.agent(attestation, { carrier: hub, provisioning });
      const assigned = await agent.start();
      await agent.send({ over: version });
      expect(world.emulator.hub(assigned.hub).received.at(-1)).toMatchObject({ deviceId: name });
      const seen = world.emulator.hub(assigned.hub).connections.find(({ deviceId }) => deviceId === name);
      expect(seen).toMatchObject({ transport: hub, credential: "certificate" });
      expect(spoken.length).toBeGreaterThanOrEqual(2);
      expect(new Set(spoken)).toEqual(new Set([version]));
    });
  });
});
