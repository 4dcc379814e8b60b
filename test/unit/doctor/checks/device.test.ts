import { chmod, mkdir } from "node:fs/promises";
import { beforeAll, describe, expect, test } from "vitest";
import type { Configuration } from "../../../../src/config/settings-schema.ts";
import { readCertificateParts } from "../../../../src/doctor/certificate-parts.ts";
import type { Check } from "../../../../src/doctor/check.ts";
import { certificateChain } from "../../../../src/doctor/checks/certificate-chain.ts";
import { cloud } from "../../../../src/doctor/checks/cloud.ts";
import { configuration, configurationFailure } from "../../../../src/doctor/checks/configuration.ts";
import { credentialName } from "../../../../src/doctor/checks/credential-name.ts";
import { credentialReadable } from "../../../../src/doctor/checks/credential-readable.ts";
import { credentialValidity } from "../../../../src/doctor/checks/credential-validity.ts";
import { endpointSettings } from "../../../../src/doctor/checks/endpoint-settings.ts";
import { fileModes } from "../../../../src/doctor/checks/file-modes.ts";
import { hubName } from "../../../../src/doctor/checks/hub-name.ts";
import { keyMatch } from "../../../../src/doctor/checks/key-match.ts";
import { storedAssignment } from "../../../../src/doctor/checks/stored-assignment.ts";
import { identityOf } from "../../../../src/doctor/identity.ts";
import { CertificateAuthority } from "../../../../src/emulator/certificate-authority.ts";
import { LandfallError } from "../../../../src/errors.ts";
import { FakeClock } from "../../../../src/testing/fake-clock.ts";
import {
  codesOf,
  deviceSettings,
  fakeAttestation,
  fakeContext,
  outcomeOf,
  plainSettings,
} from "../../../support/doctor-context.ts";
import { settingsOf } from "../../../support/endpoint-world.ts";
import { ScratchFolder } from "../../../support/scratch-folder.ts";

const scratch = new ScratchFolder();
const day = 24 * 60 * 60 * 1000;
const today = Date.UTC(2026, 5, 1);

describe("the configuration", () => {
  test("is fine when nothing is said about it, and warned about otherwise", async () => {
    expect((await outcomeOf(configuration, fakeContext())).status).toBe("ok");
    expect(codesOf(await outcomeOf(configuration, fakeContext({ warnings: ["a key is open"] })))).toEqual([
      "warned (warning)",
    ]);
  });

  test("that is not valid shows every fault", () => {
    const error = new LandfallError("config.invalid", "two faults", { details: ["a: expected b", "c: expected d"] });
    expect(configurationFailure(error)).toMatchObject({
      id: "config.valid",
      status: "failed",
      evidence: ["a: expected b", "c: expected d"],
      data: { code: "config.invalid" },
    });
  });

  test.each([
    [{}, []],
    [{ endpoint: "10.20.0.5" }, ["unusable (failed)"]],
    [{ endpoint: "contoso.privatelink.azure-devices-provisioning.net" }, ["unusable (failed)"]],
    [{ endpoint: "global", network: "private" }, ["unusable (failed)"]],
    [{ privateCidrs: ["0.0.0.0/0"] }, ["unusable (failed)"]],
  ] as const)("with the endpoint settings %j", async (more, codes) => {
    expect(codesOf(await outcomeOf(endpointSettings, fakeContext({ endpoint: settingsOf(more) })))).toEqual(codes);
  });

  test.each([
    [{}, {}, []],
    [{ idScope: "0cn00000000", cloud: "public" }, {}, ["mismatch (warning)"]],
    [{}, { digital_twins: "x.api.weu.digitaltwins.azure.net" }, []],
    [{}, { digital_twins: "x.servicebus.windows.net" }, ["other-service (warning)"]],
    [{}, { event_hubs: "x.servicebus.chinacloudapi.cn" }, ["mismatch (warning)"]],
  ] as const)("with the clouds of %j and %j", async (more, doctor, codes) => {
    const context = fakeContext({ endpoint: settingsOf(more), settings: await deviceSettings({ doctor }) });
    expect(codesOf(await outcomeOf(cloud, context))).toEqual(codes);
  });
});

describe("the credential", () => {
  let authority: CertificateAuthority;
  let device: { chainPem: string; privateKeyPem: string };
  beforeAll(async () => {
    authority = await CertificateAuthority.create({ commonName: "Test root" });
    device = await issue("sensor-0017");
  });

  async function issue(
    commonName: string,
    notAfter = new Date(today + 365 * day),
    usage: "client" | "server" = "client",
  ) {
    const notBefore = new Date(today - 10 * day);
    return authority.issue({ commonName, usage, notBefore, notAfter });
  }

  /** What a check makes of a certificate and a key, in files. */
  async function look(
    check: Check,
    pems: { chainPem: string; privateKeyPem: string },
    now = today,
    id = "sensor-0017",
  ) {
    const settings = await deviceSettings({
      provisioning: {
        source: "dps",
        id_scope: "0ne00000000",
        attestation: {
          method: "x509",
          registration_id: id,
          identity_cert: await scratch.write("device.pem", pems.chainPem),
          identity_pk: await scratch.write("device.key.pem", pems.privateKeyPem),
        },
      },
    } as Partial<Configuration>);
    const identity = identityOf(settings);
    if (identity.method !== "x509") throw new TypeError("the settings are for a certificate");
    const parts = readCertificateParts(identity);
    return outcomeOf(check, fakeContext({ settings, clock: new FakeClock(now), certificate: () => parts }));
  }

  const all = [credentialReadable, keyMatch, credentialName, credentialValidity, certificateChain];

  test.each(all.map((check) => [check.id, check] as const))("that is in order passes %s", async (_, check) => {
    expect(await look(check, device)).toMatchObject({ status: "ok", findings: [] });
  });

  test("with a symmetric key has no certificate to look at", async () => {
    for (const check of [keyMatch, credentialValidity, certificateChain]) {
      expect((await outcomeOf(check, fakeContext())).status).toBe("skipped");
    }
    expect((await outcomeOf(credentialReadable, fakeContext())).summary).toBe("symmetric key, ready");
    expect(await outcomeOf(credentialName, fakeContext())).toMatchObject({ status: "ok", data: { id: "sensor-0017" } });
  });

  test("with a TPM is asked for its keys, since nothing else shows whether it is there", async () => {
    const settings = await deviceSettings({
      provisioning: {
        source: "dps",
        id_scope: "0ne00000000",
        transport: "https",
        attestation: { method: "tpm", registration_id: "sensor-0017" },
      },
    });
    const { attestation, warnings } = fakeAttestation();
    let fault: LandfallError | undefined;
    const evidence = async () => {
      if (fault) throw fault;
      return {};
    };
    const context = fakeContext({
      settings,
      attestation: async () => ({ attestation: { ...attestation, evidence }, warnings }),
    });
    expect((await outcomeOf(credentialReadable, context)).summary).toBe("TPM, ready");
    fault = new LandfallError("tpm.unavailable", "The TPM /dev/tpmrm0 cannot be opened: there is no such device.");
    const result = await outcomeOf(credentialReadable, context);
    expect(codesOf(result)).toEqual(["unreadable (failed)"]);
    expect(result.findings[0]?.remedy).toBe(fault.remedy);
  });

  test("whose two files are both unusable is told of twice", async () => {
    const result = await look(credentialReadable, { chainPem: "nothing", privateKeyPem: "nothing" });
    expect(codesOf(result)).toEqual(["unreadable (failed)", "unreadable (failed)"]);
    expect(result.findings[0]?.remedy).toMatch(/PEM chain, leaf first/);
  });

  test("whose key is another's does not match, and says where it would", async () => {
    const other = await issue("other");
    expect(codesOf(await look(keyMatch, { ...device, privateKeyPem: other.privateKeyPem }))).toEqual([
      "mismatch (failed)",
    ]);
    const swapped = { chainPem: `${other.chainPem}${device.chainPem}`, privateKeyPem: device.privateKeyPem };
    expect((await look(keyMatch, swapped)).findings[0]?.text).toMatch(/it belongs to certificate \d there/);
  });

  test("for another device is refused, in other capitals warned about", async () => {
    expect(codesOf(await look(credentialName, device, today, "another"))).toEqual(["unusable (failed)"]);
    expect(codesOf(await look(credentialName, device, today, "SENSOR-0017"))).toEqual(["differs (warning)"]);
  });

  test.each([
    [today, []],
    [today + 340 * day, ["expires (warning)"]],
    [today + 366 * day, ["expired (failed)"]],
    [today - 11 * day, ["not-yet (failed)"]],
  ])("is judged by its dates at %i", async (now, codes) => {
    const leaf = device.chainPem.slice(0, device.chainPem.indexOf("-----END CERTIFICATE-----") + 26);
    expect(codesOf(await look(credentialValidity, { ...device, chainPem: leaf }, now))).toEqual(codes);
  });

  test("with a gap in its chain, or made for a server, is warned about", async () => {
    const stranger = await CertificateAuthority.create({ commonName: "Another root" });
    const gap = { ...device, chainPem: `${device.chainPem}${stranger.certificatePem}` };
    expect(codesOf(await look(certificateChain, gap))).toEqual(["gap (warning)"]);
    expect(codesOf(await look(certificateChain, await issue("sensor-0017", undefined, "server")))).toEqual([
      "not-for-clients (warning)",
    ]);
  });
});

describe("file modes", () => {
  const modes = async (directory: string, key?: string) =>
    codesOf(
      await outcomeOf(
        fileModes,
        fakeContext({
          settings: {
            ...plainSettings,
            state: { directory },
            ...(key === undefined
              ? {}
              : {
                  provisioning: {
                    ...plainSettings.provisioning,
                    attestation: { method: "x509", source: { kind: "pem", certificate: key, privateKey: key } },
                  } as typeof plainSettings.provisioning,
                }),
          },
        }),
      ),
    );

  test("are fine for a directory of one's own, and for none at all", async () => {
    await mkdir(scratch.file("own"), { mode: 0o700 });
    expect(await modes(scratch.file("own"))).toEqual([]);
    expect(await modes(scratch.file("nowhere"))).toEqual([]);
  });

  test("are told of when others may look in", async () => {
    await mkdir(scratch.file("open"));
    await chmod(scratch.file("open"), 0o755);
    await scratch.write("open/assignment.json", "{}", 0o644);
    expect(await modes(scratch.file("open"))).toEqual(["open-state (warning)", "open-state (warning)"]);
    const key = await scratch.write("group.key", "", 0o640);
    expect(await modes(scratch.file("nowhere"), key)).toEqual(["open-key (warning)"]);
  });
});

describe("the stored assignment", () => {
  const stored = (idScope: string, registrationId: string) =>
    ({
      state: "stored",
      binding: { idScope, registrationId, endpoint: "auto" },
      assignment: { assignedHub: "contoso-hub.azure-devices.net", deviceId: registrationId },
    }) as const;
  const { idScope } = settingsOf();

  test("is ours when it was made for this scope and device", async () => {
    const context = fakeContext({ assignment: async () => stored(idScope, "sensor-0017") });
    expect(await outcomeOf(storedAssignment, context)).toMatchObject({
      status: "ok",
      data: { isOurs: true, assignedHub: "contoso-hub.azure-devices.net" },
    });
  });

  test.each([
    ["of another scope", async () => stored("0ne00000001", "sensor-0017"), "for-another (warning)"],
    ["of another device", async () => stored(idScope, "sensor-0018"), "for-another (warning)"],
    ["that is none", async () => ({ state: "corrupt" }) as const, "corrupt (warning)"],
    [
      "that cannot be read",
      async () => {
        throw new LandfallError("state.unwritable", "belongs to user id 0");
      },
      "unreadable (failed)",
    ],
  ])("%s is told of", async (_, assignment, code) => {
    expect(codesOf(await outcomeOf(storedAssignment, fakeContext({ assignment })))).toEqual([code]);
  });

  test("need not be there", async () => {
    expect(await outcomeOf(storedAssignment, fakeContext())).toMatchObject({ status: "ok", data: { stored: false } });
  });
});

describe("the hub of a device", () => {
  test("is told with who named it, and may be unknown", async () => {
    const hub = { host: "contoso-hub.azure-devices.net", deviceId: "a", origin: "DPS" } as const;
    expect((await outcomeOf(hubName, fakeContext({ hub: async () => hub }))).summary).toBe(
      "contoso-hub.azure-devices.net (DPS)",
    );
    expect((await outcomeOf(hubName, fakeContext())).because).toBe("not-applicable");
  });
});
