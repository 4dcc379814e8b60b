// How long this process does nothing else while a key in hardware signs for its TLS handshake.
//
//   npm run build && node bench/handshake-stall.mjs
//
// A software TPM signs, and every signature is held back for some milliseconds, as slow hardware would. The longest pause
// of the event loop is set against the time from the engine's request to its answer. Takes swtpm and a C compiler.
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import tls from "node:tls";
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";

const dist = new URL("../dist/src/", import.meta.url);
const from = (path) => import(new URL(path, dist).href);
const { buildEngine } = await from("keys/engine/build-engine.js");
const { EngineTlsKey } = await from("keys/engine/engine-tls-key.js");
const { SigningThread } = await from("keys/engine/signing-thread.js");
const { createSigningKey } = await from("keys/tpm/create-signing-key.js");
const { formatTpmKeyFile } = await from("keys/tpm/key-file.js");
const { deviceOpener } = await from("keys/tpm/open-device.js");
const { Tpm } = await from("keys/tpm/tpm.js");
const { CertificateAuthority } = await from("emulator/index.js");

const folder = mkdtempSync(join(tmpdir(), "landfall-bench-"));
process.env.LANDFALL_ENGINES = join(folder, "engines");
await buildEngine({ folder: process.env.LANDFALL_ENGINES });

const socket = join(folder, "tpm");
const tpmProcess = spawn(
  "swtpm",
  [
    ...["socket", "--tpm2", "--tpmstate", `dir=${folder}`, "--flags", "not-need-init,startup-clear"],
    ...["--server", `type=unixio,path=${socket}`, "--ctrl", `type=unixio,path=${socket}.control`],
  ],
  { stdio: "ignore" },
);
while (!(await answers(socket)));
const location = { kind: "unix", path: socket };
const root = { template: "tcg", passwords: {}, readOnly: false };
const tpm = new Tpm({ open: deviceOpener(location) });
const pem = formatTpmKeyFile(await tpm.use((scope) => createSigningKey(scope, { root })));
await tpm.close();

/** Signs with the TPM, only later; and says how long it took. */
const slowThread = join(folder, "slow-thread.cjs");
writeFileSync(
  slowThread,
  `
  const { setTimeout: delay } = require("node:timers/promises");
  const { BroadcastChannel, workerData } = require("node:worker_threads");
  const times = new BroadcastChannel("times");
  times.unref();
  Promise.all([import("${new URL("keys/engine/serve-signer.js", dist)}"), import("${new URL("keys/tpm/open-tpm-signer.js", dist)}")])
    .then(([{ serveSigner }, { openTpmSigner }]) => serveSigner(async ({ delayMs, ...options }) => {
      const signer = await openTpmSigner(options);
      return { publicKey: signer.publicKey, close: () => signer.close(), async sign(digest) {
        const start = performance.now();
        await delay(delayMs);
        const signature = await signer.sign(digest);
        times.postMessage(performance.now() - start);
        return signature;
      } };
    }));`,
);
const program = { file: pathToFileURL(slowThread) };

/** A server in a thread of its own, so that only what the client does counts. */
const serverThread = `
  const tls = require("node:tls");
  const { parentPort, workerData } = require("node:worker_threads");
  tls.createServer({ ...workerData, requestCert: true, rejectUnauthorized: false }, (s) => s.on("error", () => {}).end("x"))
    .listen(0, "127.0.0.1", function () { parentPort.postMessage(this.address().port); });`;

const authority = await CertificateAuthority.create({ commonName: "Bench" });
const { chainPem, privateKeyPem } = await authority.issue({
  commonName: "server.test",
  dnsNames: ["server.test"],
  usage: "server",
});
const times = new BroadcastChannel("times");
let signatureMs = 0;
times.onmessage = ({ data }) => (signatureMs = data);

print("| TLS | held back (ms) | signature (ms) | longest pause of the event loop (ms) | beyond the signature (ms) |");
print("|---|---|---|---|---|");
for (const version of ["TLSv1.2", "TLSv1.3"]) {
  const server = new Worker(serverThread, {
    eval: true,
    workerData: { cert: chainPem, key: privateKeyPem, minVersion: version, maxVersion: version },
  });
  const [port] = await once(server, "message");
  for (const delayMs of [0, 50, 200, 1000]) {
    const signer = { location, key: { kind: "file", path: "bench", pem }, delayMs };
    const key = await EngineTlsKey.open({ location: "bench", start: () => SigningThread.start(program, signer) });
    const cert = certificateOf(key.publicKey);
    const context = await key.secureContext({ ca: authority.certificatePem, cert });
    const rounds = [];
    for (let round = 0; round < 9; round++) rounds.push(await handshake(context, port));
    rounds.sort((one, other) => one.beyond - other.beyond);
    const { pause, signature, beyond } = rounds[4];
    print(
      `| ${version.slice(3)} | ${delayMs} | ${signature.toFixed(1)} | ${pause.toFixed(1)} | ${beyond.toFixed(1)} |`,
    );
    await key.close();
  }
  await server.terminate();
}
times.close();
tpmProcess.kill();
await once(tpmProcess, "close");
rmSync(folder, { recursive: true });

async function handshake(secureContext, port) {
  let last = performance.now();
  let pause = 0;
  let over = false;
  const watch = () => {
    const now = performance.now();
    pause = Math.max(pause, now - last);
    last = now;
    if (!over) setImmediate(watch);
  };
  watch();
  const client = tls.connect({ port, host: "127.0.0.1", servername: "server.test", secureContext });
  client.on("data", () => {});
  await once(client, "close");
  await new Promise((resolve) => setTimeout(resolve, 20));
  over = true;
  return { pause, signature: signatureMs, beyond: pause - signatureMs };
}

/** A certificate for a key that only hardware has; anybody may sign it, because the server asks for nothing better. */
function certificateOf(publicKey) {
  const [key, spki] = [join(folder, "issuer.key"), join(folder, "key.pub")];
  writeFileSync(spki, publicKey.export({ type: "spki", format: "pem" }));
  const openssl = (...args) => execFileSync("openssl", args, { stdio: ["ignore", "pipe", "ignore"] }).toString();
  openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key);
  return openssl("x509", "-new", "-force_pubkey", spki, "-subj", "/CN=bench", "-signkey", key, "-days", "2");
}

function print(line) {
  process.stdout.write(`${line}\n`);
}

async function answers(path) {
  const connection = connect(path);
  const [outcome] = await Promise.race([
    once(connection, "connect").then(() => [true]),
    new Promise((resolve) => connection.once("error", () => setTimeout(() => resolve([false]), 20))),
  ]).catch(() => [false]);
  connection.destroy();
  return outcome;
}
