import { describe, expect, test } from "vitest";
import { Estate } from "../../../../../src/emulator/private-link/resources/estate.ts";
import type { ResourceSettings } from "../../../../../src/emulator/private-link/resources/resource.ts";
import type { ResourceKind } from "../../../../../src/emulator/private-link/resources/service-names.ts";

const create = (kind: ResourceKind, name: string, settings?: ResourceSettings) =>
  new Estate().create(kind, name, settings);

const refused = (message: RegExp) =>
  expect.objectContaining({ code: "emulator.rejected", message: expect.stringMatching(message) });

describe("the names of a resource", () => {
  test.each<[ResourceKind, ResourceSettings, string[][]]>([
    ["dps", {}, [["contoso.azure-devices-provisioning.net", "contoso.privatelink.azure-devices-provisioning.net"]]],
    [
      "hub",
      {},
      [
        ["contoso.azure-devices.net", "contoso.privatelink.azure-devices.net"],
        ["iothub-ns-contoso-5510.servicebus.windows.net", "iothub-ns-contoso-5510.privatelink.servicebus.windows.net"],
      ],
    ],
    [
      "hub",
      { cloud: "china" },
      [
        ["contoso.azure-devices.cn", "contoso.privatelink.azure-devices.cn"],
        [
          "iothub-ns-contoso-5510.servicebus.chinacloudapi.cn",
          "iothub-ns-contoso-5510.privatelink.servicebus.chinacloudapi.cn",
        ],
      ],
    ],
    ["device-update", {}, [["contoso.api.adu.microsoft.com", "contoso.privatelink.api.adu.microsoft.com"]]],
    [
      "device-update",
      { privateZone: "privatelink.adu.microsoft.com" },
      [["contoso.api.adu.microsoft.com", "contoso.api.privatelink.adu.microsoft.com"]],
    ],
    [
      "digital-twins",
      { region: "weu" },
      [["contoso.api.weu.digitaltwins.azure.net", "contoso.api.weu.privatelink.digitaltwins.azure.net"]],
    ],
  ])("of the kind %s with %o", (kind, settings, names) => {
    const { hosts } = create(kind, "contoso", settings);
    expect(hosts.map(({ name, privatelinkName }) => [name, privatelinkName])).toEqual(names);
  });

  test("have a public address each, which no other name has", () => {
    const estate = new Estate();
    const addresses = (["dps", "hub", "device-update", "digital-twins"] as const).flatMap((kind) =>
      estate.create(kind, "contoso").hosts.map(({ publicAddress }) => publicAddress),
    );
    expect(addresses).toEqual(["20.42.0.10", "20.42.0.11", "20.42.0.12", "20.42.0.13", "20.42.0.14"]);
  });
});

describe("a resource is refused", () => {
  test.each<[string, () => unknown, RegExp]>([
    ["with a name that is none", () => create("dps", "My_DPS"), /expected a name .* got "My_DPS"/],
    ["with the name of the global endpoint", () => create("dps", "global"), /taken: it is the global device endpoint/],
    ["in a cloud that does not have it", () => create("digital-twins", "twins", { cloud: "china" }), /not documented/],
    ["at a private address", () => create("dps", "mydps", { publicAddresses: ["10.0.0.1"] }), /routed on the internet/],
    [
      "at a documentation address",
      () => create("dps", "mydps", { publicAddresses: ["203.0.113.9"] }),
      /203\.0\.113\.9/,
    ],
    ["without an address for each name", () => create("hub", "myhub", { publicAddresses: ["20.1.1.1"] }), /got ""/],
    [
      "with a zone of another suffix",
      () => create("dps", "mydps", { privateZone: "privatelink.example" }),
      /expected a zone/,
    ],
    [
      "with a zone that is not private",
      () => create("dps", "mydps", { privateZone: "azure-devices-provisioning.net" }),
      /expected a zone/,
    ],
    [
      "with an unreadable IP filter rule",
      () => create("dps", "mydps", { ipFilter: [{ name: "r", action: "reject", range: "1.2.3.4/8" }] }),
      /rule r: expected a range, got "1\.2\.3\.4\/8"/,
    ],
    [
      "with two rules of one name",
      () =>
        create("hub", "myhub", {
          ipFilter: [
            { name: "r", action: "reject", range: "1.2.3.4" },
            { name: "r", action: "accept", range: "1.2.3.5" },
          ],
        }),
      /rule r exists already/,
    ],
    [
      "with IP filter rules where the service has none",
      () => create("digital-twins", "twins", { ipFilter: [{ name: "r", action: "reject", range: "1.2.3.4" }] }),
      /a DPS and an IoT hub only/,
    ],
  ])("%s", (_what, make, message) => {
    expect(make).toThrow(refused(message));
  });

  test("when another has its name or its address", () => {
    const estate = new Estate();
    estate.create("dps", "mydps", { publicAddresses: ["20.1.1.1"] });
    expect(() => estate.create("dps", "mydps")).toThrow(refused(/the name mydps\..* is taken/));
    expect(() => estate.create("dps", "other", { publicAddresses: ["20.1.1.1"] })).toThrow(
      refused(/address 20\.1\.1\.1/),
    );
    expect(() => estate.create("dps", "other", { publicAddresses: ["20.42.0.20"] })).toThrow(refused(/20\.42\.0\.20/));
  });

  test("when it is asked for a name that it does not have", () => {
    expect(() => create("dps", "mydps").host("events")).toThrow(refused(/mydps has no events endpoint/));
  });
});
