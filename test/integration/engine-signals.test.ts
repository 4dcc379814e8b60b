import { generateKeyPairSync } from "node:crypto";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { buildEngine } from "../../src/keys/engine/build-engine.ts";
import { runProcess } from "../support/landfall-process.ts";
import { OpensslAuthority } from "../support/openssl-authority.ts";
import { ScratchFolder } from "../support/scratch-folder.ts";
import { lacks } from "../support/system-peer.ts";
import { startTlsPeer, testAuthority } from "../support/tls-peer.ts";

const scratch = new ScratchFolder();
const script = fileURLToPath(new URL("../support/interrupted-handshake.mjs", import.meta.url));

test.skipIf(["cc", "openssl"].some(lacks))("the engine waits on for its signature when signals arrive", async () => {
  const folder = scratch.file("engines");
  await buildEngine({ folder });
  const { publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const authority = await OpensslAuthority.create(scratch, "Factory");
  const cert = await authority.certify(publicKey.export({ type: "spki", format: "pem" }).toString(), "interrupted");
  await using peer = await startTlsPeer(undefined, { clientCa: authority.certificatePem });
  const spki = publicKey.export({ type: "spki", format: "der" }).toString("base64");
  const ca = (await testAuthority()).certificatePem;
  const input = JSON.stringify({ port: peer.port, ca, cert, spki, socket: scratch.file("signer") });
  const { out } = await runProcess(process.execPath, [script, input], { env: { OPENSSL_ENGINES: folder } });
  // It has heard the refusal, and not taken the first signal for the end of the wait.
  expect(out).toMatch(/the hardware did not sign/);
});
