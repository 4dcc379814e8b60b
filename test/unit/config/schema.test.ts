import { describe, expect, test } from "vitest";
import { Findings, Place } from "../../../src/config/place.ts";
import type { SchemaNode, Setting } from "../../../src/config/schema.ts";
import { settingsSchema } from "../../../src/config/settings-schema.ts";
import { sampleKey, surroundings } from "./samples.ts";

const settings = settingsIn(settingsSchema, "");
const secretsFor: Readonly<Record<string, string>> = {
  IDENTITY_PASSWORD: "a password",
  TPM_OWNER_PASSWORD: "a password",
  TPM_ENDORSEMENT_PASSWORD: "a password",
  KEY: sampleKey,
};

describe("the schema", () => {
  test.each(settings)("accepts its own default or sample of $path", ({ setting }) => {
    const findings = new Findings();
    const value = setting.kind.read(setting.sample, new Place({ ...surroundings, env: secretsFor }, findings));
    expect(findings.faults).toEqual([]);
    expect(value).toBeDefined();
  });

  test.each(settings)("describes $path in whole sentences", ({ setting }) => {
    expect(setting.doc).toMatch(/^[A-Z].*\.$/s);
    expect(setting.kind.expects).not.toMatch(/^[A-Z]|\.$/);
  });
});

function settingsIn(node: SchemaNode, path: string): { readonly path: string; readonly setting: Setting }[] {
  if (node.node === "setting") return [{ path, setting: node }];
  const tables = node.node === "variants" ? Object.values(node.choices).map(({ entries }) => entries) : [node.entries];
  return tables.flatMap((entries) =>
    Object.entries(entries).flatMap(([key, child]) => settingsIn(child, path === "" ? key : `${path}.${key}`)),
  );
}
