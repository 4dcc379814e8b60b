import fc from "fast-check";
import { parse } from "smol-toml";
import { describe, expect, test } from "vitest";
import { renderTemplate } from "../../../src/config/template.ts";
import { validate } from "../../../src/config/validate.ts";
import { Secret } from "../../../src/secret.ts";
import { manual, sampleKey, surroundings, withCertificate, withSymmetricKey } from "./samples.ts";

/** TOML tables as plain objects, without those that hold nothing. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value).map(([key, member]) => [key, plain(member)] as const);
  return Object.fromEntries(members.filter(([, member]) => JSON.stringify(member) !== "{}"));
}

const env = { HOME: "/home/agent", IDENTITY_PASSWORD: "a password" };
const faultsOf = (text: string) => validate(parse(text), { ...surroundings, env }).faults;

const answers = fc.record(
  {
    provisioning: fc.constantFrom(withSymmetricKey.provisioning, withCertificate.provisioning, manual.provisioning),
    hub: fc.record(
      { transport: fc.constantFrom("mqtt", "mqtt-ws"), keep_alive: fc.integer({ min: 10, max: 1177 }) },
      { requiredKeys: [] },
    ),
    network: fc.record(
      { connect_to: fc.constant(["a:1:b:2"]), proxy: fc.constant("http://p"), no_proxy: fc.constant(["a"]) },
      { requiredKeys: [] },
    ),
    methods: fc.dictionary(
      fc.stringMatching(/^[a-zA-Z0-9."'-]{1,12}$/),
      fc.record({
        command: fc.array(
          fc.string({ unit: "grapheme" }).filter((text) => !text.includes("\0")),
          { minLength: 1 },
        ),
      }),
      { noNullPrototype: true },
    ),
    log: fc.record({ level: fc.constantFrom("debug", "warn") }, { requiredKeys: [] }),
  },
  { requiredKeys: ["provisioning"], noNullPrototype: true },
);

describe("the template", () => {
  test("gives back the answers that it was rendered from, and they are valid", () => {
    fc.assert(
      fc.property(answers, (table) => {
        const text = renderTemplate(table);
        expect(plain(parse(text))).toEqual(plain(table));
        expect(faultsOf(text)).toEqual([]);
      }),
      { numRuns: 50 },
    );
  });

  test.each([{ withSymmetricKey }, { withCertificate }, { manual }])(
    "has every other setting as a comment that is valid once uncommented: %j",
    (sample) => {
      const lines = renderTemplate(Object.values(sample)[0] ?? {}).split("\n");
      const commented = lines.filter((line) => /^#[a-z_]+ = /.test(line));
      expect(commented.length).toBeGreaterThan(14);
      const alternatives = /^#(identity_pkcs12|identity_password|connection_string) = /;
      for (const line of commented.filter((one) => !alternatives.test(one))) {
        const isMethod = lines.slice(lines.indexOf("#[methods.restart-app]"), lines.indexOf("[state]")).includes(line);
        const uncommented = lines
          .map((one) => (one === line || (isMethod && /^#(\[methods|command =)/.test(one)) ? one.slice(1) : one))
          .join("\n");
        expect({ line, faults: faultsOf(uncommented) }).toEqual({ line, faults: [] });
      }
    },
  );

  test("of no answers asks for what is required, as comments", () => {
    const text = renderTemplate({});
    expect(text).toContain('# Required; for example:\n#id_scope = "0ne00000000"');
    expect(faultsOf(text).map(({ path }) => path)).toEqual(["provisioning.id_scope", "provisioning.attestation"]);
  });

  test("says which settings go with each other", () => {
    expect(renderTemplate(withCertificate)).toContain(
      "# Give either identity_cert and identity_pk, or identity_pkcs12.",
    );
  });

  test("writes a secret out, and leaves out what has no value", () => {
    const { attestation, ...provisioning } = withSymmetricKey.provisioning;
    const text = renderTemplate({
      provisioning: {
        ...provisioning,
        payload: { a: undefined, b: 1 },
        attestation: { ...attestation, symmetric_key: new Secret(sampleKey) },
      },
    });
    expect(parse(text)).toMatchObject({
      provisioning: { payload: { b: 1 }, attestation: { symmetric_key: sampleKey } },
    });
  });

  test("keeps its comments to 100 columns, but for single long words", () => {
    const wide = renderTemplate(withCertificate)
      .split("\n")
      .filter((line) => line.startsWith("# ") && line.length > 100);
    expect(wide).toEqual([]);
  });
});
