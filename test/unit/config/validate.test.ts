import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { faultLine } from "../../../src/config/fault.ts";
import type { Surroundings } from "../../../src/config/place.ts";
import { validate } from "../../../src/config/validate.ts";
import { manual, sampleKey, surroundings, withCertificate, withSymmetricKey } from "./samples.ts";

/** The faults of a configuration, each on its line. */
function faultsOf(table: unknown, more: Partial<Surroundings> = {}): string[] {
  return validate(table, { ...surroundings, ...more }).faults.map(faultLine);
}

const dps = withSymmetricKey.provisioning;
const { attestation } = dps;
const x509 = withCertificate.provisioning.attestation;
const withAttestation = (change: object) => ({ provisioning: { ...dps, attestation: { ...attestation, ...change } } });

describe("a valid configuration", () => {
  test.each([{ withSymmetricKey }, { withCertificate }, { manual }])("has no faults: %j", (sample) => {
    const [table] = Object.values(sample);
    expect(faultsOf(table)).toEqual([]);
    expect(validate(table, surroundings)).toMatchObject({ draft: { settings: {} }, warnings: [] });
  });

  test("may hold members that a program left undefined", () => {
    expect(faultsOf({ ...withSymmetricKey, hub: { model_id: undefined }, frobnicate: undefined })).toEqual([]);
  });

  test("is not changed", () => {
    const table = structuredClone(withSymmetricKey);
    validate(table, surroundings);
    expect(table).toEqual(withSymmetricKey);
  });
});

describe("a fault names its path, what was expected and what was found", () => {
  test.each<[string, object, RegExp]>([
    [
      "an unknown table",
      { ...dps, frobnicate: {} },
      /^provisioning\.frobnicate: expected a known setting; found an unknown one$/,
    ],
    ["a misspelt setting", { ...dps, idScope: "x" }, /^provisioning\.idScope: .*; did you mean id_scope\?$/],
    ["a setting of another table", { ...dps, keep_alive: 60 }, /^provisioning\.keep_alive: .*; it belongs in \[hub\]$/],
    [
      "a wrong type",
      { ...dps, id_scope: 5 },
      /^provisioning\.id_scope: expected an id scope such as "0ne00000000"; found 5$/,
    ],
    [
      "a missing setting",
      { ...dps, id_scope: undefined },
      /^provisioning\.id_scope: expected an id scope .*; found nothing$/,
    ],
    [
      "a value out of range",
      { ...dps, timeout: "2h" },
      /^provisioning\.timeout: expected a duration from 10s to 1h,.*; found "2h"$/,
    ],
    [
      "an unknown choice",
      { ...dps, transport: "amqp" },
      /^provisioning\.transport: expected "mqtt", "mqtt-ws" or "https"; found "amqp"$/,
    ],
    [
      "a table that is none",
      { ...dps, attestation: "x509" },
      /^provisioning\.attestation: expected a table; found a text of 4 characters$/,
    ],
    [
      "a setting of another source",
      { ...dps, device_id: "d" },
      /^provisioning\.device_id: expected this only with source = "manual"; found it with source = "dps"$/,
    ],
    ["a null", { ...dps, payload: null }, /^provisioning\.payload: expected a table.*; found null$/],
    [
      "a date",
      { ...dps, payload: { since: new Date(0) } },
      /^provisioning\.payload\.since: expected something that JSON can carry; found a date$/,
    ],
    [
      "an infinite number",
      { ...dps, payload: { a: [1, Infinity] } },
      /^provisioning\.payload\.a\[1\]: .*; found Infinity$/,
    ],
  ])("%s", (_, provisioning, line) => {
    expect(faultsOf({ provisioning })).toEqual([expect.stringMatching(line)]);
  });

  test("whatever is not a table at all", () => {
    expect(faultsOf("text")).toEqual(["the configuration: expected a table; found a text of 4 characters"]);
    expect(faultsOf({})).toEqual(['provisioning.source: expected "dps" or "manual"; found nothing']);
  });

  test("all of them at once, beside each other", () => {
    const table = {
      frobnicate: 1,
      provisioning: {
        source: "dps",
        attestation: { method: "symmetric_key", registration_id: "-", symmetric_key: "AAAA" },
      },
      hub: { keep_alive: "5s", telemetry_window: 1001, model_id: "thermostat" },
      network: { connect_to: ["a:b", ":::"], no_proxy: ["a,b"], proxy: "gopher://x", trust_bundle: "" },
      telemetry: { interval: -1 },
      methods: { "a b": { command: ["ls"] }, list: { command: [], timeout: "0s", max_output: 1.5 }, none: {} },
      state: { directory: "" },
      log: { level: "verbose" },
    };
    expect(faultsOf(table).map((line) => line.slice(0, line.indexOf(":")))).toEqual([
      "frobnicate",
      "provisioning.id_scope",
      "provisioning.attestation.registration_id",
      "provisioning.attestation.symmetric_key",
      "hub.model_id",
      "hub.keep_alive",
      "hub.telemetry_window",
      "network.trust_bundle",
      "network.connect_to[0]",
      "network.proxy",
      "network.no_proxy[0]",
      "telemetry.interval",
      'methods."a b"',
      "methods.list.command",
      "methods.list.timeout",
      "methods.list.max_output",
      "methods.none.command",
      "state.directory",
      "log.level",
    ]);
  });

  test("where the choice itself is wrong, what stands beside it is still judged", () => {
    expect(faultsOf({ provisioning: { source: "dsp", id_scope: 5, device_id: "", frobnicate: 1 } })).toEqual([
      'provisioning.source: expected "dps" or "manual"; found "dsp"',
      expect.stringMatching(/^provisioning\.id_scope: /),
      expect.stringMatching(/^provisioning\.device_id: /),
      expect.stringMatching(/^provisioning\.frobnicate: /),
    ]);
  });
});

describe("settings that contradict each other", () => {
  test.each<[string, unknown, RegExp[]]>([
    [
      "a symmetric key beside a certificate",
      withAttestation({ identity_cert: "c.pem" }),
      [/attestation\.identity_cert: expected this only with method = "x509"; found it with method = "symmetric_key"/],
    ],
    [
      "a certificate beside a symmetric key",
      { provisioning: { ...dps, attestation: { ...x509, symmetric_key: sampleKey, derive: true } } },
      [/symmetric_key: expected this only with method = "symmetric_key"/, /derive: expected this only with/],
    ],
    [
      "PEM files beside PKCS#12",
      { provisioning: { ...dps, attestation: { ...x509, identity_pkcs12: "d.p12" } } },
      [
        /attestation: expected either identity_cert and identity_pk, or identity_pkcs12; found identity_cert, identity_pk and identity_pkcs12 together/,
      ],
    ],
    [
      "the password of PKCS#12 beside PEM files",
      { provisioning: { ...dps, attestation: { ...x509, identity_password: "p" } } },
      [/found identity_cert, identity_pk and identity_password together/],
    ],
    [
      "a certificate without its key",
      { provisioning: { ...dps, attestation: { method: "x509", identity_cert: "c.pem" } } },
      [/attestation\.identity_pk: expected it beside identity_cert; found nothing/],
    ],
    [
      "no certificate at all",
      { provisioning: { ...dps, attestation: { method: "x509" } } },
      [/attestation: expected either identity_cert and identity_pk, or identity_pkcs12; found nothing of them/],
    ],
    [
      "a manual source with settings of DPS",
      { provisioning: { ...manual.provisioning, id_scope: "0ne1", attestation } },
      [
        /provisioning\.id_scope: expected this only with source = "dps"/,
        /provisioning\.attestation: expected this only with/,
      ],
    ],
    [
      "a connection string beside a host name",
      { provisioning: { source: "manual", connection_string: "env:CS", iothub_hostname: "h" } },
      [
        /found iothub_hostname and connection_string together/,
        /connection_string: expected a value in the environment variable CS/,
      ],
    ],
    [
      "a manual source without authentication",
      { provisioning: { source: "manual", iothub_hostname: "h.net", device_id: "d" } },
      [/provisioning\.authentication: expected it beside iothub_hostname and device_id; found nothing/],
    ],
    [
      "two trust bundles",
      { ...withSymmetricKey, trust_bundle_cert: "file:///a.pem", network: { trust_bundle: "b.pem" } },
      [/trust_bundle_cert: expected either this or network\.trust_bundle; found both/],
    ],
  ])("%s", (_, table, lines) => {
    expect(faultsOf(table)).toEqual(lines.map((line) => expect.stringMatching(line)));
  });
});

describe("host names", () => {
  const hostFault = (global_endpoint: unknown) => faultsOf({ provisioning: { ...dps, global_endpoint } });

  test.each([
    "global.azure-devices-provisioning.net",
    "https://global.azure-devices-provisioning.net/",
    "HTTPS://My-DPS.example",
    "localhost",
  ])("%s", (name) => {
    expect(hostFault(name)).toEqual([]);
  });

  test.each([
    ["http://a.net", undefined],
    ["https://a.net/path", undefined],
    ["https://u:p@a.net", undefined],
    ["a.net.", undefined],
    ["-a.net", undefined],
    ["", undefined],
    [5, undefined],
    ["10.0.0.1", "connect_to"],
    ["::1", "connect_to"],
    ["https://10.0.0.1/", "connect_to"],
    ["a.net:8883", "connect_to"],
    ["https://a.net:8883/", "connect_to"],
  ])("not %j", (name, hint) => {
    expect(hostFault(name)).toEqual([expect.stringContaining(hint ?? "expected a host name")]);
  });
});

describe("keys that this version cannot reach", () => {
  test.each(["pkcs11:object=o?pin-value=hunter2", "tpm:handle=0x81000100"])("%s for tokens", (uri) => {
    const scheme = uri.slice(0, uri.indexOf(":") + 1);
    for (const line of [
      ...faultsOf(withAttestation({ symmetric_key: uri })),
      ...faultsOf(withAttestation({ symmetric_key: { uri } })),
    ]) {
      expect(line).toContain(`found a ${scheme} URI; this version cannot use what is kept in a `);
      expect(line).toContain("(key.unsupported-uri)");
      expect(line).not.toContain("hunter2");
    }
    expect(faultsOf(withAttestation({ symmetric_key: { uri } }))).toHaveLength(1);
  });

  test("a certificate to be issued, as aziot has it", () => {
    const identity_cert = { method: "est", common_name: "my-device" };
    expect(faultsOf({ provisioning: { ...dps, attestation: { ...x509, identity_cert } } })).toEqual([
      expect.stringMatching(/identity_cert: expected a file, as a path or a file:\/\/\/ URI, .*; found a table$/),
    ]);
  });
});

describe("a key in hardware", () => {
  const withKey = (identity_pk: string) => ({ provisioning: { ...dps, attestation: { ...x509, identity_pk } } });

  test("is named by its URI", () => {
    const uri = "pkcs11:token=t;object=o?pin-source=file:/run/pin";
    expect(faultsOf(withKey(uri))).toEqual([]);
  });

  test("is refused when the URI is not well-formed, and the PIN in it is not shown", () => {
    const [line, ...others] = faultsOf(withKey("pkcs11:slot-id=5?pin-value=hunter2"));
    expect(line).toContain("found the attribute slot-id, which is not supported (key.invalid-uri)");
    expect(line).not.toContain("hunter2");
    expect(others).toEqual([]);
  });

  test("may be one in a TPM as well, whose URI is looked at too", () => {
    expect(faultsOf(withKey("tpm:handle=0x81010010;at=device:/dev/tpm0"))).toEqual([]);
    expect(faultsOf(withKey("tpm:handle=7"))).toEqual([expect.stringContaining("(key.invalid-uri)")]);
  });
});

describe("warnings", () => {
  const warningsOf = (table: unknown, more = {}) => validate(table, { ...surroundings, ...more }).warnings;

  test("name the settings of aziot that mean nothing here, all in one", () => {
    const table = { ...withSymmetricKey, hostname: "pi", edge_ca: { cert: "x" }, agent: 5, parent_hostname: "up" };
    expect(warningsOf(table)).toEqual([expect.stringMatching(/aziot: hostname, parent_hostname, agent, edge_ca$/)]);
    expect(faultsOf(table)).toEqual([]);
  });

  test("say that MQTT does not use a configured proxy", () => {
    const network = { proxy: "http://proxy:3128" };
    expect(warningsOf({ ...withSymmetricKey, network })).toEqual([
      expect.stringContaining("network.proxy is not used"),
    ]);
    expect(warningsOf({ ...withSymmetricKey, network, hub: { transport: "mqtt-ws" } })).toEqual([]);
  });

  test("are not given for a proxy of the environment", () => {
    expect(warningsOf(withSymmetricKey, { env: { HOME: "/h", https_proxy: "http://proxy" } })).toEqual([]);
  });
});

describe("a proxy variable that holds no proxy", () => {
  const env = { HOME: "/h", HTTPS_PROXY: "gopher://u:hunter2@proxy" };

  test("is a fault when a connection would look at it", () => {
    const overWebSocket = { ...withSymmetricKey, hub: { transport: "mqtt-ws" } };
    expect(faultsOf(overWebSocket, { env })).toEqual([
      expect.stringMatching(/^environment variable HTTPS_PROXY: expected a proxy/),
    ]);
    expect(faultsOf({ ...overWebSocket, network: { proxy: "http://p" } }, { env })).toEqual([]);
  });

  test("is let alone when none would", () => {
    expect(faultsOf(withSymmetricKey, { env })).toEqual([]);
  });
});

describe("anything at all", () => {
  const keys = fc.constantFrom(
    ...["provisioning", "source", "id_scope", "attestation", "authentication", "method", "registration_id"],
    ...["symmetric_key", "identity_cert", "identity_pk", "identity_pkcs12", "payload", "hub", "network", "connect_to"],
    ...["proxy", "methods", "command", "value", "uri", "env", "__proto__", "constructor", "toString", "agent"],
  );
  const words = fc.constantFrom(
    "dps",
    "manual",
    "x509",
    "sas",
    "symmetric_key",
    "file:///x",
    "env:HOME",
    "mqtt",
    sampleKey,
  );
  const { table } = fc.letrec((tie) => ({
    table: fc.dictionary(fc.oneof(keys, fc.string()), tie("value"), { maxKeys: 8 }),
    value: fc.oneof(
      { maxDepth: 3 },
      words,
      tie("table"),
      fc.anything({ withDate: true, withBigInt: true, withMap: true }),
      fc.array(tie("value")),
    ),
  }));

  test("is either settings or faults, never an error", () => {
    fc.assert(
      fc.property(fc.oneof(table, fc.anything()), (anything) => {
        const { draft, faults } = validate(anything, surroundings);
        expect(draft === undefined).toBe(faults.length > 0);
        for (const fault of faults) expect(faultLine(fault)).not.toContain("undefined");
      }),
      { numRuns: 500 },
    );
  });

  test("in the place of a valid value is judged as well", () => {
    const paths = [["provisioning"], ["provisioning", "attestation"], ["hub"], ["network"], ["methods"]];
    fc.assert(
      fc.property(fc.constantFrom(...paths), fc.oneof(keys, fc.string()), fc.anything(), (path, key, value) => {
        const changed: Record<string, unknown> = structuredClone({
          ...withSymmetricKey,
          hub: {},
          network: {},
          methods: {},
        });
        let parent = changed;
        for (const step of path) parent = parent[step] as Record<string, unknown>;
        Object.defineProperty(parent, key, { value, enumerable: true });
        const { draft, faults } = validate(changed, surroundings);
        expect(draft === undefined).toBe(faults.length > 0);
      }),
      { numRuns: 500 },
    );
  });
});

describe("a secret", () => {
  const secretText = fc.stringMatching(/^[A-Za-z0-9+/:@ =;-]{1,12}$/).map((text) => `hunter2${text}`);
  const wrongShapes: readonly ((secret: string) => unknown)[] = [
    (secret) => secret,
    (secret) => ({ value: secret }),
    (secret) => ({ uri: secret }),
    (secret) => ({ env: secret }),
    (secret) => ({ value: secret, env: secret }),
    (secret) => ({ valeu: secret }),
    (secret) => ({ value: { value: secret } }),
    (secret) => [secret],
    (secret) => `env:${secret}`,
    (secret) => `pkcs11:object=${secret}`,
    (secret) => `file://${secret}`,
    (secret) => `http://user:${secret}@proxy/path`,
    (secret) => `HostName=h;DeviceId=d;SharedAccessKey=${secret}`,
    (secret) => `-----BEGIN PRIVATE KEY-----\n${secret}`,
  ];
  const places: readonly ((value: unknown) => unknown)[] = [
    (value) => withAttestation({ symmetric_key: value }),
    (value) => ({
      provisioning: { ...dps, attestation: { ...x509, identity_pk: value, identity_pk_password: value } },
    }),
    (value) => ({
      provisioning: { ...dps, attestation: { method: "x509", identity_pkcs12: value, identity_password: value } },
    }),
    (value) => ({ provisioning: { source: "manual", connection_string: value } }),
    (value) => ({ provisioning: { ...manual.provisioning, authentication: { method: "sas", device_id_pk: value } } }),
    (value) => ({ provisioning: { source: "manual", symmetric_key: value, attestation: value } }),
    (value) => ({ ...withSymmetricKey, network: { proxy: value } }),
  ];

  test("is in no fault and no warning, however wrong it is and wherever it stands", () => {
    fc.assert(
      fc.property(secretText, fc.constantFrom(...wrongShapes), fc.constantFrom(...places), (text, shape, place) => {
        const { faults, warnings } = validate(place(shape(text)), surroundings);
        for (const line of [...faults.map(faultLine), ...warnings]) expect(line).not.toContain("hunter2");
      }),
      { numRuns: 1000 },
    );
  });

  test("in the configuration itself is noticed, one in a file or in the environment is not", () => {
    const holdsSecret = (symmetric_key: unknown) =>
      validate(withAttestation({ symmetric_key }), surroundings).holdsSecret;
    expect(
      [sampleKey, { value: sampleKey }, { uri: "file:///key" }, { env: "KEY" }, "env:KEY"].map(holdsSecret),
    ).toEqual([true, true, false, false, false]);
    const withProxy = (proxy: string) => validate({ ...withCertificate, network: { proxy } }, surroundings).holdsSecret;
    expect([withProxy("http://u:p@proxy"), withProxy("http://proxy")]).toEqual([true, false]);
  });
});
