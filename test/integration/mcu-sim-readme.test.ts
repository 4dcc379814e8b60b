import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { runProcess } from "../support/landfall-process.ts";
import { ScratchFolder } from "../support/scratch-folder.ts";
import { installForUser } from "../support/user-folder.ts";

const folder = new ScratchFolder();
const page = readFileSync(fileURLToPath(new URL("../../firmware-sim/README.md", import.meta.url)), "utf8");

test("the test that the simulator's page shows passes, as a user's own", async () => {
  const env = await installForUser(folder);
  const program = /^```js\n([\s\S]*?)^```$/m.exec(page)?.[1] ?? "";
  await folder.write("update.test.mjs", program);
  const { code, out } = await runProcess(process.execPath, ["--test", "update.test.mjs"], { cwd: folder.path, env });
  expect(out).toMatch(/pass 1\b/);
  expect(code).toBe(0);
});
