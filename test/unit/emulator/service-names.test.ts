import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parseDpsUsername } from "../../../src/emulator/dps/dps-username.ts";
import type { Hub } from "../../../src/emulator/hub/hub.ts";
import { hubHostName } from "../../../src/emulator/hub/hub-names.ts";
import { parseHubUsername } from "../../../src/emulator/hub/hub-username.ts";
import { certificateNames, checkHubNames, destinationOf } from "../../../src/emulator/service-names.ts";

const read = (file: string) =>
  JSON.parse(readFileSync(`test/vectors/${file}.json`, "utf8")) as {
    usernames: Record<"written" | "foreign", readonly Record<string, string>[]>;
  };
const [dps, hub] = [read("dps-mqtt").usernames, read("hub-mqtt").usernames];

describe("a user name", () => {
  test.each([...dps.written, ...dps.foreign])(
    "for DPS is read: $username",
    ({ username = "", idScope, registrationId, clientVersion }) => {
      expect(parseDpsUsername(username)).toMatchObject({
        idScope,
        registrationId,
        ...(clientVersion ? { clientVersion } : {}),
      });
    },
  );

  test.each([...hub.written, ...hub.foreign])(
    "for a hub is read: $username",
    ({ username = "", host, deviceId, clientType, modelId }) => {
      expect(parseHubUsername(username)).toEqual({
        host,
        deviceId,
        apiVersion: expect.stringMatching(/^20/),
        ...(clientType ? { clientAgent: clientType } : {}),
        ...(modelId ? { modelId } : {}),
      });
    },
  );

  test.each([
    "",
    "/",
    "a/b",
    "0ne/registrations/",
    "0ne/registrations//api-version=2019-03-31",
    "0ne/registrations/d/api-version=",
    "a/b/?",
    "a/b/?api-version=1",
    "a/b/c/d/?api-version=2021-04-12",
    "a//?api-version=2021-04-12",
  ])("is none: %j", (username) => {
    expect([parseDpsUsername(username), parseHubUsername(username)]).toEqual([undefined, undefined]);
  });

  test("takes any well-formed api-version, previews too", () => {
    expect(parseDpsUsername("0ne/registrations/d/api-version=2026-11-02-preview")?.apiVersion).toBe(
      "2026-11-02-preview",
    );
    expect(parseHubUsername("h/d/m/?api-version=2025-08-01-preview")).toMatchObject({ deviceId: "d", moduleId: "m" });
  });
});

const hubs = [hubOf("hub-a", []), hubOf("hub-b", ["dev"]), hubOf("iot.example.com", [])];
function hubOf(name: string, devices: readonly string[]): Hub {
  const registry = { get: (id: string) => (devices.includes(id) ? {} : undefined) };
  return { name, hostName: hubHostName(name), registry } as unknown as Hub;
}

describe("the way to a service", () => {
  const forHub = (host: string, device = "dev") => `${host}/${device}/?api-version=2021-04-12`;
  const forDps = "0ne/registrations/dev/api-version=2019-03-31";
  const lead = (serverName: string | undefined, username: string): string | undefined => {
    const destination = destinationOf(serverName, username, hubs);
    return destination?.service === "hub" ? destination.hub.name : destination?.service;
  };

  test.each<[string, string | undefined, string, string | undefined]>([
    ["by the global name of DPS", "global.azure-devices-provisioning.net", "", "dps"],
    ["by an instance's name of DPS", "plant.azure-devices-provisioning.net", "", "dps"],
    ["by a hub's name", "hub-b.azure-devices.net", "", "hub-b"],
    ["by a hub's name in another case", "HUB-B.Azure-Devices.NET", "", "hub-b"],
    ["by a hub's name for TLS 1.3", "hub-b.device.azure-devices.net", "", "hub-b"],
    ["by a hub's whole host name", "iot.example.com", "", "iot.example.com"],
    ["by the name, whatever the user name says", "hub-a.azure-devices.net", forDps, "hub-a"],
    ["at localhost by the user name of DPS", "localhost", forDps, "dps"],
    ["without a name by the user name of DPS", undefined, forDps, "dps"],
    ["at localhost by the hub in the user name", "localhost", forHub("hub-a.azure-devices.net"), "hub-a"],
    ["at localhost by the device in the user name", "localhost", forHub("localhost:8883"), "hub-b"],
    ["at localhost to the first hub for an unknown device", "localhost", forHub("localhost:8883", "new"), "hub-a"],
    ["nowhere by a name of nobody's and no user name", "example.com", "", undefined],
  ])("is found %s", (_what, serverName, username, expected) => {
    expect(lead(serverName, username)).toBe(expected);
  });
});

describe("the names of an emulator", () => {
  test("are all in its certificate, each once", () => {
    const names = certificateNames(["hub-a", "iot.example.com"], "127.0.0.1");
    expect(names).toEqual([
      "global.azure-devices-provisioning.net",
      "*.azure-devices-provisioning.net",
      "*.azure-devices.net",
      "hub-a.azure-devices.net",
      "hub-a.device.azure-devices.net",
      "iot.example.com",
      "landfallemulator.blob.core.windows.net",
      "localhost",
      "127.0.0.1",
      "::1",
    ]);
    expect(certificateNames([], "192.0.2.1")).toContain("192.0.2.1");
    expect(certificateNames([], "0.0.0.0")).not.toContain("0.0.0.0");
  });

  test.each([[["a b"]], [[""]], [["hub-a", "hub-a"]], [["-a"]]])("cannot be %j", (names) => {
    expect(() => checkHubNames(names)).toThrow(expect.objectContaining({ code: "emulator.rejected" }));
  });
});
