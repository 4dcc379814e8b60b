import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { commandPage } from "../../support/command-page.ts";

const page = fileURLToPath(new URL("../../../docs/cli.md", import.meta.url));

test("docs/cli.md says what the commands' help says (UPDATE_DOCS=1 rewrites it)", async () => {
  const text = await commandPage();
  if (process.env.UPDATE_DOCS) writeFileSync(page, text);
  expect(readFileSync(page, "utf8")).toBe(text);
});
