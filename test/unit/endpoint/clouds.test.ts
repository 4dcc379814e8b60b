import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  azureHost,
  cloudNames,
  cloudOfIdScope,
  clouds,
  globalHost,
  isGlobalHost,
  serviceHost,
} from "../../../src/endpoint/clouds.ts";
import { isAddressLike, isHostName, isPrivatelinkName, privatelinkRecord } from "../../../src/endpoint/host-name.ts";

describe("a host name", () => {
  test.each([
    ["contoso.azure-devices-provisioning.net", "public", "dps"],
    ["CONTOSO.Azure-Devices-Provisioning.US.", "usgov", "dps"],
    ["contoso.azure-devices.cn", "china", "hub"],
    ["contoso.azure-devices.net", "public", "hub"],
    ["contoso.device.azure-devices.net", "public", "hub"],
    ["iothub-ns-contoso-1.servicebus.windows.net", "public", "event-hubs"],
    ["iothub-ns-contoso-1.servicebus.usgovcloudapi.net", "usgov", "event-hubs"],
    ["contoso.api.adu.microsoft.com", "public", "device-update"],
    ["contoso.api.weu.digitaltwins.azure.net", "public", "digital-twins"],
  ])("%s belongs to %s, %s", (host, cloud, service) => {
    expect(azureHost(host)).toMatchObject({ cloud, service });
  });

  test.each([
    "azure-devices.net",
    ".azure-devices.net",
    "contosoazure-devices.net",
    "contoso.azure-devices.net.example.org",
    "contoso.azure-devices.com",
    "localhost",
    "",
  ])("%j belongs to no cloud", (host) => {
    expect(azureHost(host)).toBeUndefined();
  });

  test("is one of letters, digits and hyphens; everything that a resolver takes for an address is none", () => {
    for (const host of ["localhost", "a.b-c.d9", "xn--bcher-kva.example.", "A.B"])
      expect([host, isHostName(host)]).toEqual([host, true]);
    for (const host of [
      "",
      ".",
      "a..b",
      "-a.b",
      "a-.b",
      "a_b.c",
      "a b",
      "ａ.b",
      `${"a".repeat(64)}.b`,
      `${"a.".repeat(127)}a`,
    ]) {
      expect([host, isHostName(host)]).toEqual([host, false]);
    }
    for (const host of [
      "10.0.0.1",
      "127.1",
      "1",
      "0x7f.1",
      "a.0x7f",
      "0x",
      "::1",
      "[::1]",
      "fe80::1%eth0",
      "10.0.0.1.",
    ]) {
      expect([host, isAddressLike(host), isHostName(host)]).toEqual([host, true, false]);
    }
  });

  test("never makes the checks throw", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const both = isHostName(text) && isAddressLike(text);
        expect([both, azureHost(text)?.cloud]).not.toContain(true);
      }),
    );
  });
});

describe("a privatelink name", () => {
  test("is split into zone and record as it stands", () => {
    expect(privatelinkRecord("contoso.PrivateLink.azure-devices.net.")).toEqual({
      zone: "privatelink.azure-devices.net",
      record: "contoso",
    });
    expect(privatelinkRecord("contoso.api.privatelink.adu.microsoft.com")).toEqual({
      zone: "privatelink.adu.microsoft.com",
      record: "contoso.api",
    });
    expect(privatelinkRecord("privatelink.azure-devices.net")).toMatchObject({ record: "@" });
    expect(privatelinkRecord("contoso.azure-devices.net")).toBeUndefined();
  });

  test("has the label, not merely the letters", () => {
    expect(isPrivatelinkName("contoso.privatelink.azure-devices.net")).toBe(true);
    expect(isPrivatelinkName("privatelink-contoso.azure-devices.net")).toBe(false);
  });
});

describe("a cloud", () => {
  test("has one global endpoint, known in every spelling", () => {
    expect(cloudNames.map(globalHost)).toEqual([
      "global.azure-devices-provisioning.net",
      "global.azure-devices-provisioning.us",
      "global.azure-devices-provisioning.cn",
    ]);
    for (const cloud of cloudNames) expect(isGlobalHost(`${globalHost(cloud).toUpperCase()}.`)).toBe(true);
    expect(isGlobalHost("global.azure-devices.net")).toBe(false);
  });

  test("is told by the ID scope", () => {
    for (const cloud of cloudNames)
      expect(cloudOfIdScope(`${clouds[cloud].idScopePrefix.toUpperCase()}00AB12CD`)).toBe(cloud);
    expect(cloudOfIdScope("0xy00AB12CD")).toBeUndefined();
  });
});

describe("a DPS name", () => {
  test("is completed with the cloud's suffix, or taken whole", () => {
    expect(serviceHost("contoso", "usgov")).toBe("contoso.azure-devices-provisioning.us");
    expect(serviceHost("Contoso.azure-devices-provisioning.cn.", "public")).toBe(
      "contoso.azure-devices-provisioning.cn",
    );
  });

  test.each([
    "global",
    "GLOBAL",
    "global.azure-devices-provisioning.us",
    "a.b",
    "a.b.azure-devices-provisioning.net",
    "privatelink",
    "",
    ".",
    "-a",
    "contoso.azure-devices.net",
    "azure-devices-provisioning.net",
  ])("is not %j", (name) => {
    expect(serviceHost(name, "public")).toBeUndefined();
  });

  test("never leads to a global endpoint or out of DPS", () => {
    const anyName = fc.oneof(
      fc.string(),
      fc.stringMatching(/^[a-zA-Z.-]{1,12}$/),
      fc.constantFrom("global.", "Global", "global.azure-devices-provisioning.net."),
    );
    fc.assert(
      fc.property(anyName, fc.constantFrom(...cloudNames), (name, cloud) => {
        const host = serviceHost(name, cloud);
        if (host === undefined) return;
        expect(isGlobalHost(host)).toBe(false);
        expect(isHostName(host)).toBe(true);
        expect(azureHost(host)?.service).toBe("dps");
      }),
    );
  });
});
