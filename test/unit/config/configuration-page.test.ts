import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { configurationPage } from "../../support/configuration-page.ts";

const page = fileURLToPath(new URL("../../../docs/configuration.md", import.meta.url));

test("docs/configuration.md says what the schema says (UPDATE_DOCS=1 rewrites it)", () => {
  if (process.env.UPDATE_DOCS) writeFileSync(page, configurationPage());
  expect(readFileSync(page, "utf8")).toBe(configurationPage());
});
