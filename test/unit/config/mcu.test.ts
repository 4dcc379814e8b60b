import { describe, expect, test } from "vitest";
import { describeSettings } from "../../../src/config/describe.ts";
import { settingsFrom } from "../../../src/config/settings-from.ts";
import { withSymmetricKey } from "./samples.ts";

const settings = async (mcu?: object) =>
  (await settingsFrom({ ...withSymmetricKey, ...(mcu ? { mcu } : {}) }, { baseDirectory: "/" })).settings;

describe("the port of an MCU", () => {
  test("is nothing unless it is set", async () => {
    expect((await settings()).mcu).toBeUndefined();
    expect((await settings({ baud_rate: 9600 })).mcu).toBeUndefined();
    expect(describeSettings(await settings())).not.toHaveProperty("mcu");
  });

  test.each(["/dev/ttyACM0", "tcp://127.0.0.1:4000", "unix:/run/mcu.sock"])("may be %s", async (port) => {
    const loaded = await settings({ port });
    expect(loaded.mcu).toEqual({ port, baudRate: 115_200 });
    expect(describeSettings(loaded).mcu).toEqual({ port, baud_rate: 115_200 });
  });

  test.each([
    [{ port: "tcp://nowhere" }, "mcu.port"],
    [{ port: "" }, "mcu.port"],
    [{ port: "/dev/ttyS0", baud_rate: 10 }, "mcu.baud_rate"],
    [{ port: "/dev/ttyS0", speed: 10 }, "speed"],
  ])("is refused: %j", async (mcu, path) => {
    await expect(settings(mcu)).rejects.toMatchObject({
      code: "config.invalid",
      details: [expect.stringContaining(path)],
    });
  });
});

describe("what is kept in the MCU", () => {
  const port = { port: "/dev/ttyACM0" };
  const dps = { source: "dps", id_scope: "0ne00000000" };
  const attested = async (attestation: object, mcu: object = port) =>
    (await settingsFrom({ provisioning: { ...dps, attestation }, mcu } as never, { baseDirectory: "/" })).settings;
  const key = { method: "symmetric_key", registration_id: "press-7", symmetric_key: "mcu:" };
  const x509 = { method: "x509", identity_cert: "mcu:", identity_pk: "mcu:" };
  const tpm = { method: "tpm", tpm: "mcu:" };

  test.each([
    ["a symmetric key", key, { symmetric_key: "mcu:" }],
    ["a symmetric key, as a URI", { ...key, symmetric_key: { uri: "mcu:" } }, { symmetric_key: "mcu:" }],
    ["certificate and key", x509, { identity_cert: "mcu:", identity_pk: "mcu:" }],
    ["a TPM", { ...tpm, registration_id: "press-7" }, { tpm: "mcu:" }],
  ])("may be %s, which is no secret", async (_, attestation, shown) => {
    expect(describeSettings(await attested(attestation)).provisioning).toMatchObject({ attestation: shown });
  });

  test("may be the key of a device at a hub that is given by hand", async () => {
    const authentication = { method: "sas", device_id_pk: "mcu:" };
    const provisioning = {
      source: "manual",
      iothub_hostname: "hub-a.azure-devices.net",
      device_id: "p",
      authentication,
    };
    const loaded = await settingsFrom({ provisioning, mcu: port } as never, { baseDirectory: "/" });
    expect(describeSettings(loaded.settings).provisioning).toMatchObject({ authentication: { device_id_pk: "mcu:" } });
  });

  test.each([
    ["without a port", key, {}, /symmetric_key: expected a place that there is; found "mcu:", and no port in \[mcu\]/],
    ["for a group's key", { ...key, derive: true }, port, /derive: expected false beside symmetric_key = "mcu:"/],
    ["with more in it", { ...key, symmetric_key: "mcu:key=2" }, port, /symmetric_key: expected "mcu:"/],
    ["with more in it, for a certificate", { ...x509, identity_pk: "mcu:2" }, port, /identity_pk: expected "mcu:"/],
  ])("is refused %s", async (_, attestation, mcu, fault) => {
    await expect(attested(attestation, mcu)).rejects.toMatchObject({ details: [expect.stringMatching(fault)] });
  });
});
