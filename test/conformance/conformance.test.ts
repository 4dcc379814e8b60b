import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { canHavePrivateWorld } from "../support/private-world.ts";
import { ScratchFolder } from "../support/scratch-folder.ts";
import { Swtpm } from "../support/swtpm.ts";
import { lacks } from "../support/system-peer.ts";
import { clients } from "./clients.ts";
import { conformancePage, flowsOf, Outcomes } from "./conformance-page.ts";
import { NotSupported } from "./flow.ts";
import { Scene } from "./scene.ts";
import { tpmClientVersion } from "./tpm-client.ts";

const page = fileURLToPath(new URL("../../docs/conformance.md", import.meta.url));
const scratch = new ScratchFolder();
const outcomes = new Outcomes();
const canHaveRealNames = await canHavePrivateWorld();
const canHaveTpm = !lacks("swtpm") && tpmClientVersion() !== undefined;
const tpm = canHaveTpm ? new Swtpm({ socket: "unix" }) : undefined;

test.runIf(process.env.CI === "true")("a client that needs a TPM can be run here", () => {
  expect(canHaveTpm, "needs the program `swtpm`, and the package that `npm run peers` installs").toBe(true);
});

test.runIf(process.env.CI === "true")("clients that need real names can be run here", () => {
  expect(canHaveRealNames, "needs root, or user namespaces, and the program `ip`").toBe(true);
});

for (const client of clients) {
  describe.concurrent(`${client.package}, ${client.transport}`, () => {
    for (const flow of flowsOf(client)) {
      const realNames = client.needsRealNames || flow.needsRealNames === true;
      const lacksPeer = (realNames && !canHaveRealNames) || (flow.needsTpm === true && !canHaveTpm);
      test.skipIf(lacksPeer)(flow.title, async () => {
        outcomes.set(client, flow, { kind: "fail" });
        await using scene = await Scene.open(client, realNames, scratch, flow.emulator);
        try {
          await flow.run(scene, tpm);
          outcomes.set(client, flow, { kind: "pass" });
        } catch (error) {
          if (!(error instanceof NotSupported)) throw error;
          outcomes.set(client, flow, { kind: "not-supported", reason: error.message });
        }
      });
    }
  });
}

describe("docs/conformance.md", () => {
  test("says what a whole run finds (UPDATE_DOCS=1 rewrites it)", ({ skip }) => {
    if (!outcomes.areComplete) skip("only a part was run");
    if (process.env.UPDATE_DOCS) writeFileSync(page, conformancePage(outcomes));
    expect(readFileSync(page, "utf8")).toBe(conformancePage(outcomes));
  });
});
