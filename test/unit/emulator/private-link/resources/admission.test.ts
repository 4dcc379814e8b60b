import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type AdmissionSubject, admission } from "../../../../../src/emulator/private-link/resources/admission.ts";
import type { ConnectionStatus } from "../../../../../src/emulator/private-link/resources/endpoint-connection.ts";
import { Estate } from "../../../../../src/emulator/private-link/resources/estate.ts";
import type { IpFilterRule } from "../../../../../src/emulator/private-link/resources/ip-filter.ts";
import { type ResourceKind, resourceKinds } from "../../../../../src/emulator/private-link/resources/service-names.ts";

const from = "62.96.14.7";
const everybody: IpFilterRule = { name: "everybody", action: "reject", range: "0.0.0.0/0" };
const globalAddress = "20.42.0.20";

function connected(kind: ResourceKind) {
  const estate = new Estate();
  const resource = estate.create(kind, "contoso");
  return { resource, endpoint: estate.connect(resource, estate.network("plant")), estate };
}

describe("the private path", () => {
  test("carries an approved connection, whatever the public path is like", () => {
    const { resource, endpoint } = connected("dps");
    resource.publicNetworkAccess = "disabled";
    resource.ipFilter = [everybody];
    expect(admission(resource, { arrivedAt: endpoint.addressOf(), from: "10.20.0.4" })).toEqual({
      carried: true,
      path: "private",
    });
  });

  test("carries nothing before the owner approved, nor after he rejected or removed", () => {
    const { resource, endpoint } = connected("hub");
    const seen = () => admission(resource, { arrivedAt: endpoint.addressOf("events"), from: "10.20.0.4" }).carried;
    expect(seen()).toBe(true);
    endpoint.connection.reject();
    expect(seen()).toBe(false);
    endpoint.connection.approve();
    expect(seen()).toBe(true);
    endpoint.connection.remove();
    expect(seen()).toBe(false);
  });

  test("leads to the one resource that it was made for", () => {
    const { endpoint, estate } = connected("dps");
    const other = estate.create("dps", "fabrikam");
    expect(admission(other, { arrivedAt: endpoint.addressOf(), from: "10.20.0.4" })).toEqual({
      carried: false,
      because: "address-of-another",
    });
  });
});

describe("the public path, with public network access disabled", () => {
  test.each<[ResourceKind, unknown]>([
    ["dps", { status: 401, body: { errorCode: 401002, message: "Unauthorized" } }],
    ["hub", { status: 401, body: { Message: "ErrorCode:IotHubUnauthorizedAccess;Unauthorized" } }],
    ["digital-twins", { status: 403, body: { statusCode: 403, message: "Public network access disabled by policy." } }],
    [
      "device-update",
      { status: 403, body: { error: { code: "Forbidden", message: "Public network access is disabled." } } },
    ],
  ])("is refused by a %s", (kind, http) => {
    const { resource } = connected(kind);
    resource.publicNetworkAccess = "disabled";
    expect(admission(resource, { arrivedAt: resource.host().publicAddress, from })).toEqual({
      carried: true,
      path: "public",
      refusal: {
        kind: kind === "dps" || kind === "hub" ? "unauthorized" : "forbidden",
        because: "public-access-disabled",
        http,
        connack: 5,
        amqpCondition: "amqp:unauthorized-access",
      },
    });
  });

  test("is refused at the global device endpoint too", () => {
    const { resource } = connected("dps");
    expect(admission(resource, { arrivedAt: globalAddress, from })).toEqual({ carried: true, path: "public" });
    resource.publicNetworkAccess = "disabled";
    expect(admission(resource, { arrivedAt: globalAddress, from })).toMatchObject({
      refusal: { kind: "unauthorized" },
    });
  });
});

describe("IP filter rules", () => {
  test("decide in order, and let in whom none matches", () => {
    const { resource } = connected("dps");
    const refusal = (client: string) => {
      const seen = admission(resource, { arrivedAt: resource.host().publicAddress, from: client });
      return seen.carried ? seen.refusal?.because : "not carried";
    };
    resource.ipFilter = [
      { name: "one", action: "accept", range: "62.96.14.7" },
      { name: "site", action: "reject", range: "62.96.14.0/24" },
    ];
    expect([refusal("62.96.14.7"), refusal("62.96.14.8"), refusal("62.96.15.1")]).toEqual([
      undefined,
      "ip-filter",
      undefined,
    ]);
  });

  test("are not named in what the client gets", () => {
    const { resource } = connected("hub");
    resource.ipFilter = [everybody];
    const seen = admission(resource, { arrivedAt: resource.host().publicAddress, from });
    resource.ipFilter = [];
    resource.publicNetworkAccess = "disabled";
    const disabled = admission(resource, { arrivedAt: resource.host().publicAddress, from });
    const told = [seen, disabled].map((each) => (each.carried ? { ...each.refusal, because: "" } : undefined));
    expect(told[0]).toEqual(told[1]);
  });

  test("of a hub cover its Event Hubs-compatible endpoint only when asked to", () => {
    const { resource } = connected("hub");
    const arrival = { arrivedAt: resource.host("events").publicAddress, from };
    resource.ipFilter = [everybody];
    expect(admission(resource, arrival)).toEqual({ carried: true, path: "public" });
    resource.ipFilterCoversEvents = true;
    expect(admission(resource, arrival)).toMatchObject({ refusal: { http: { body: { Detail: "Unauthorized" } } } });
  });
});

const statuses: readonly ConnectionStatus[] = ["Pending", "Approved", "Rejected", "Disconnected"];
const address = fc.constantFrom(
  "10.20.0.5",
  "10.20.0.6",
  "10.20.0.7",
  "20.42.0.10",
  "20.42.0.11",
  globalAddress,
  "8.8.8.8",
);
const rule = fc.record({
  action: fc.constantFrom("accept" as const, "reject" as const),
  range: fc.constantFrom("0.0.0.0/0", "62.96.14.0/24", "62.96.14.7", "20.0.0.0/8"),
});
const subject: fc.Arbitrary<AdmissionSubject> = fc.record({
  kind: fc.constantFrom(...resourceKinds),
  hosts: fc.constant([
    { role: "service" as const, publicAddress: "20.42.0.10" },
    { role: "events" as const, publicAddress: "20.42.0.11" },
  ]),
  sharedAddresses: fc.constantFrom([globalAddress], []),
  publicNetworkAccess: fc.constantFrom("enabled" as const, "disabled" as const),
  ipFilter: fc.array(rule, { maxLength: 4 }).map((rules) => rules.map((each, at) => ({ ...each, name: `rule-${at}` }))),
  ipFilterCoversEvents: fc.boolean(),
  connections: fc.uniqueArray(fc.constantFrom("10.20.0.5", "10.20.0.6"), { maxLength: 2 }).chain((addresses) =>
    fc.tuple(
      ...addresses.map((each) =>
        fc.record({
          status: fc.constantFrom(...statuses),
          addresses: fc.constant(new Map([["service" as const, each]])),
        }),
      ),
    ),
  ),
});
const path = fc.record({ arrivedAt: address, from: fc.constantFrom(from, "62.96.14.8", "91.12.33.7", "20.61.0.7") });

describe("for every resource and path", () => {
  const statusAt = ({ connections }: AdmissionSubject, arrivedAt: string) =>
    connections.find(({ addresses }) => [...addresses.values()].includes(arrivedAt))?.status;

  test("a private address carries exactly approved connections, and is never refused", () => {
    fc.assert(
      fc.property(subject, path, (resource, way) => {
        const seen = admission(resource, way);
        const isPrivate = way.arrivedAt.startsWith("10.");
        expect(seen.carried && seen.path === "private").toBe(
          isPrivate && statusAt(resource, way.arrivedAt) === "Approved",
        );
        if (isPrivate && seen.carried) expect(seen.refusal).toBeUndefined();
      }),
    );
  });

  test("nobody gets in by a public address while public access is disabled", () => {
    fc.assert(
      fc.property(subject, path, (resource, way) => {
        const seen = admission({ ...resource, publicNetworkAccess: "disabled" }, way);
        if (seen.carried && seen.path === "public") expect(seen.refusal?.because).toBe("public-access-disabled");
      }),
    );
  });

  test("IP filter rules change nothing but the public path with public access enabled", () => {
    fc.assert(
      fc.property(subject, path, (resource, way) => {
        const seen = admission(resource, way);
        const without = admission({ ...resource, ipFilter: [] }, way);
        const mayDiffer = resource.publicNetworkAccess === "enabled" && without.carried && without.path === "public";
        if (!mayDiffer) expect(seen).toEqual(without);
      }),
    );
  });
});
