import { expect, test } from "vitest";
import { findModule } from "../../../../src/keys/pkcs11/module.ts";
import { ScratchFolder } from "../../../support/scratch-folder.ts";
import { lacksTokens } from "../../../support/soft-token.ts";

const scratch = new ScratchFolder();

test("the module is the one that the URI names, else the one that the environment names", async () => {
  const [named, usual] = [await scratch.write("named.so", ""), await scratch.write("usual.so", "")];
  const env = { PKCS11_MODULE_PATH: usual };
  expect(await findModule({ modulePath: named }, env)).toBe(named);
  expect(await findModule({}, env)).toBe(usual);
});

test.skipIf(lacksTokens())("a module is found by its name alone, and a common one without any", async () => {
  expect(await findModule({ moduleName: "softhsm2" }, { PKCS11_MODULE_PATH: "/nowhere/e.so" })).toMatch(
    /\/libsofthsm2\.so$/,
  );
  expect(await findModule({}, {})).toMatch(/\.so$/);
});

test.each([
  ["a path", { modulePath: "/nowhere/m.so" }, {}, "/nowhere/m.so"],
  ["a name", { moduleName: "no-such-module" }, {}, "no-such-module"],
  ["the environment", {}, { PKCS11_MODULE_PATH: "/nowhere/e.so" }, "/nowhere/e.so"],
])("a module that is not there is told by %s", async (_, uri, env, named) => {
  await expect(findModule(uri, env)).rejects.toMatchObject({
    code: "key.module-unusable",
    message: expect.stringContaining(named),
  });
});
