import { describe, expect, test } from "vitest";
import { hubConnect } from "../../../../src/doctor/checks/hub-connect.ts";
import { proxyPath } from "../../../../src/doctor/checks/proxy-path.ts";
import { proxySettings } from "../../../../src/doctor/checks/proxy-settings.ts";
import { tcp } from "../../../../src/doctor/checks/tcp.ts";
import { tls } from "../../../../src/doctor/checks/tls.ts";
import type { DoctorContext, Subject } from "../../../../src/doctor/context.ts";
import type { DialTarget } from "../../../../src/endpoint/dialer.ts";
import { LandfallError } from "../../../../src/errors.ts";
import { FakeClock } from "../../../../src/testing/fake-clock.ts";
import {
  codesOf,
  deviceSettings,
  dpsSubject,
  fakeContext,
  hubSubject,
  outcomeOf,
} from "../../../support/doctor-context.ts";
import { behindProxy, dpsHost, hubHost, settingsOf, type ViewName } from "../../../support/endpoint-world.ts";

const withProxy = await deviceSettings({ network: { proxy: "http://user:hunter2@proxy:3128" } });

const system = (code: string) => Object.assign(new Error(`connect ${code}`), { code });
const refusing =
  (code: string): DoctorContext["reach"] =>
  async () => {
    throw new LandfallError("endpoint.connect-failed", "no", { cause: system(code) });
  };

describe("TCP", () => {
  const knock = (port: number, more: Parameters<typeof fakeContext>[0] = {}, seen: readonly ViewName[] = ["linked"]) =>
    outcomeOf(tcp("dps", port), fakeContext({ subjects: { dps: dpsSubject(seen) }, ...more }));

  test("is opened at every vetted address, and nowhere else", async () => {
    const reached: string[] = [];
    const reach: DoctorContext["reach"] = async ({ host, address, port }) => {
      reached.push(`${host} ${address} ${port}`);
    };
    const result = await knock(8883, { reach }, ["linked", "linkedElsewhere", "outside"]);
    expect(reached).toEqual([`${dpsHost} 10.20.0.5 8883`, `${dpsHost} 10.30.0.5 8883`]);
    expect(result).toMatchObject({ status: "ok", summary: "open at 2 of 2 addresses" });
  });

  test.each([
    ["ECONNREFUSED", "refused"],
    ["ETIMEDOUT", "no-answer"],
    ["EHOSTUNREACH", "host-unreachable"],
    ["ENETUNREACH", "no-route"],
    ["EPERM", "broken"],
  ])("that ends with %s is %s", async (code, outcome) => {
    const result = await knock(8883, { reach: refusing(code) });
    expect(codesOf(result)).toEqual([`${outcome} (failed)`]);
    expect(result.data).toMatchObject({ need: "needed", attempts: [{ address: "10.20.0.5", outcome }] });
  });

  test("that nobody answers is given up after five seconds", async () => {
    const clock = new FakeClock();
    const reach: DoctorContext["reach"] = (_, { signal }) =>
      new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    const running = knock(8883, { clock, reach });
    await clock.sleeping(2);
    await clock.advance(5000);
    const result = await running;
    expect(codesOf(result)).toEqual(["no-answer (failed)"]);
    expect(result.data.attempts).toMatchObject([{ durationMs: 5000 }]);
  });

  test("matters as much as its port is needed", async () => {
    const reach = refusing("ECONNREFUSED");
    expect(codesOf(await knock(443, { reach }))).toEqual(["refused (warning)"]);
    const amqp = await knock(5671, { reach });
    expect(codesOf(amqp)).toEqual([]);
    expect(amqp.summary).toBe("closed (refused); nothing here uses it");
    const overWebSocket = await deviceSettings({
      provisioning: {
        source: "dps",
        id_scope: "0ne00000000",
        transport: "mqtt-ws",
        attestation: { method: "symmetric_key", registration_id: "a", symmetric_key: "c2l4dGVlbiBieXRlcyEhISEh" },
      },
    });
    expect(codesOf(await knock(443, { reach, settings: overWebSocket }))).toEqual(["refused (failed)"]);
  });

  test("that works at some addresses works", async () => {
    const reach: DoctorContext["reach"] = (target, options) =>
      target.address === "10.20.0.5" ? refusing("EHOSTUNREACH")(target, options) : Promise.resolve();
    const result = await knock(8883, { reach }, ["linked", "linkedElsewhere"]);
    expect(codesOf(result)).toEqual(["some-addresses (warning)"]);
  });

  test("has nothing to try where a proxy carries the connection, or where nothing may be dialled", async () => {
    const proxied = dpsSubject(["public"], behindProxy());
    expect(await knock(443, { subjects: { dps: proxied } })).toMatchObject({
      status: "skipped",
      summary: "connections go through http://proxy:3128",
    });
    const none = dpsSubject(["missingRecord"]);
    expect((await knock(8883, { subjects: { dps: none } })).status).toBe("skipped");
  });
});

/** What a dialer was asked for, and rejects with. */
function failingDialer(error: Error) {
  const targets: DialTarget[] = [];
  const dialer: DoctorContext["dialer"] = {
    dial: async (target) => {
      targets.push(target);
      throw error;
    },
  };
  return { dialer, targets };
}

describe("TLS", () => {
  const untrusted = (code: string) =>
    new LandfallError("endpoint.tls-untrusted", "not trusted", { cause: system(code) });
  const failed = (cause: Error) => new LandfallError("endpoint.tls-failed", "broke", { cause });

  test.each<[Error, string]>([
    [untrusted("SELF_SIGNED_CERT_IN_CHAIN"), "untrusted"],
    [untrusted("UNABLE_TO_GET_ISSUER_CERT_LOCALLY"), "untrusted"],
    [untrusted("ERR_TLS_CERT_ALTNAME_INVALID"), "wrong-name"],
    [untrusted("CERT_HAS_EXPIRED"), "not-valid-now"],
    [untrusted("CERT_NOT_YET_VALID"), "not-valid-now"],
    [failed(system("ECONNRESET")), "cut"],
    [failed(new Error("the connection was closed")), "cut"],
    [failed(system("ERR_SSL_WRONG_VERSION_NUMBER")), "broken"],
    [new LandfallError("endpoint.connect-timeout", "no"), "silent"],
    [new LandfallError("endpoint.proxy-failed", "no"), "proxy"],
    [new LandfallError("endpoint.unvetted-address", "no"), "unvetted"],
    [
      new LandfallError("endpoint.tls-failed", "none of 2", {
        cause: new AggregateError([failed(system("ECONNRESET")), failed(system("ECONNRESET"))]),
      }),
      "cut",
    ],
    [new TypeError("x"), "broken"],
  ])("that fails with %s is found out", async (error, code) => {
    const { dialer } = failingDialer(error);
    const result = await outcomeOf(
      tls("dps", 8883),
      fakeContext({ dialer, subjects: { dps: dpsSubject(["linked"]) } }),
    );
    expect(codesOf(result)).toEqual([`${code} (failed)`]);
    expect(result.data.failure).toBe(code);
  });

  test("is asked for as the agent asks: the public name, the vetted addresses, a proxy on 443 only", async () => {
    const { dialer, targets } = failingDialer(new Error("enough"));
    const context = fakeContext({
      dialer,
      subjects: { dps: dpsSubject(["linked"], behindProxy({ resolvesNames: false })) },
    });
    await outcomeOf(tls("dps", 8883), context);
    await outcomeOf(tls("dps", 443), context);
    expect(targets).toEqual([
      { host: dpsHost, port: 8883, addresses: ["10.20.0.5"], proxy: "never" },
      { host: dpsHost, port: 443, addresses: ["10.20.0.5"], proxy: "allowed" },
    ]);
  });
});

describe("the proxy", () => {
  test("that nobody set is none", async () => {
    expect(await outcomeOf(proxySettings, fakeContext())).toMatchObject({ status: "ok", summary: "none" });
    expect((await outcomeOf(proxyPath, fakeContext())).status).toBe("skipped");
  });

  test("that hides a private endpoint is told of, with the suffix to exempt, and without its password", async () => {
    const dps = dpsSubject(["linked"], behindProxy());
    const result = await outcomeOf(proxySettings, fakeContext({ settings: withProxy, subjects: { dps } }));
    expect(codesOf(result)).toEqual(["hides-private-endpoint (warning)"]);
    expect(result.findings[0]?.remedy).toMatch(/Add \.azure-devices-provisioning\.net to NO_PROXY/);
    expect(JSON.stringify(result)).not.toMatch(/hunter2/);
  });

  test("that is passed over for a private path is told of", async () => {
    const dps = dpsSubject(["linked"], behindProxy(), { settings: settingsOf({ network: "private" }) });
    const result = await outcomeOf(proxySettings, fakeContext({ settings: withProxy, subjects: { dps } }));
    expect(codesOf(result)).toEqual(["bypassed (warning)"]);
  });

  test.each<[Error, readonly string[]]>([
    [new LandfallError("endpoint.proxy-failed", "407", { service: { status: 407 } }), ["credentials (failed)"]],
    [new LandfallError("endpoint.proxy-failed", "403", { service: { status: 403 } }), ["forbidden (failed)"]],
    [new LandfallError("endpoint.proxy-failed", "502", { service: { status: 502 } }), ["no-way (failed)"]],
    [new LandfallError("endpoint.proxy-failed", "refused"), ["unreachable (failed)"]],
    [new LandfallError("endpoint.connect-timeout", "silence"), ["unreachable (failed)"]],
    [new LandfallError("endpoint.tls-untrusted", "inspected"), []],
  ])("that answers %s", async (error, codes) => {
    const { dialer } = failingDialer(error);
    const dps = dpsSubject(["public"], behindProxy());
    expect(codesOf(await outcomeOf(proxyPath, fakeContext({ dialer, subjects: { dps } })))).toEqual(codes);
  });
});

describe("the device at its hub", () => {
  const known = { host: hubHost, deviceId: "sensor-0017", origin: "stored assignment" } as const;
  const hub: Subject = hubSubject(["linked"]);
  const connecting = (connect: DoctorContext["hubTransport"]["connect"], more: Partial<DoctorContext> = {}) =>
    outcomeOf(
      hubConnect,
      fakeContext({
        subjects: { hub },
        hub: async () => known,
        mayConnectToHub: true,
        hubTransport: { name: "fake", abilities: { credentials: ["sas"], challenge: false }, connect },
        ...more,
      }),
      [{ id: "tls.hub.8883", data: { peer: {} } }],
    );

  test("is let in, and leaves at once", async () => {
    let closed = 0;
    const seen: unknown[] = [];
    const result = await connecting(async (route, { deviceId }, handlers) => {
      seen.push(route, deviceId, handlers);
      return { close: async () => void closed++ } as never;
    });
    expect(result.status).toBe("ok");
    expect(seen).toEqual([{ host: hubHost, addresses: ["10.20.0.5"], proxy: "never" }, "sensor-0017", {}]);
    expect(closed).toBe(1);
  });

  test("is not tried unless it is allowed, since it would throw out an agent", async () => {
    const result = await connecting(
      () => {
        throw new Error("nobody may connect");
      },
      { mayConnectToHub: false },
    );
    expect(result).toMatchObject({ status: "skipped", because: "--hub-connect" });
  });

  test.each([
    ["transport.unauthorized", "unauthorized (failed)"],
    ["transport.identifier-rejected", "unknown-device (failed)"],
    ["transport.unavailable", "unavailable (unknown)"],
    ["transport.refused", "refused (failed)"],
    ["transport.closed", "no-answer (failed)"],
    ["transport.timeout", "no-answer (failed)"],
  ] as const)("that is turned away with %s", async (code, finding) => {
    const result = await connecting(async () => {
      throw new LandfallError(code, "no");
    });
    expect(codesOf(result)).toEqual([finding]);
  });

  test("is not tried where TLS does not work, nor without a credential that can be used now", async () => {
    const context = fakeContext({ subjects: { hub }, hub: async () => known, mayConnectToHub: true });
    const broken = [{ id: "tls.hub.8883", status: "failed", data: { failure: "cut" } }] as const;
    expect(await outcomeOf(hubConnect, context, broken)).toMatchObject({ because: "tls.hub.8883" });
    const keyless = [{ id: "credential.readable", status: "failed" }] as const;
    expect(await outcomeOf(hubConnect, context, keyless)).toMatchObject({ because: "credential.readable" });
    const early = [{ id: "credential.validity", status: "failed" }] as const;
    expect(await outcomeOf(hubConnect, context, early)).toMatchObject({ because: "credential.validity" });
  });
});
