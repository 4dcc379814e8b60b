import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Emulator } from "../src/emulator/index.ts";
import { sdkPackages } from "./installed-size.ts";
import { loadedFiles } from "./loaded-files.ts";
import { WireProxy } from "./wire-proxy.ts";

/** What DPS asks clients to wait before they poll, in seconds: the least that its header can say. */
export const retryAfterSeconds = 1;

const registrationId = "sensor-17";
const body = '{"temperature":20.5}';

/** How a subject is started. */
export interface Start {
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** Written to standard input at once. */
  readonly input: string;
  /** What it prints when its first telemetry is acknowledged. */
  readonly acknowledged: string;
}

/** One kind of client, the emulator that it lives with, and the wire between them. */
export interface World extends AsyncDisposable {
  readonly proxy: WireProxy;
  /** The files that a start reads, without Node's own. */
  readonly programFiles: readonly string[];
  /** @param fresh whether the device has never been provisioned; otherwise it remembers what it can */
  start(fresh: boolean): Promise<Start>;
}

/** Opens an emulator behind a proxy. The two share a port on two addresses, so that what names the port leads through. */
async function openEmulator(assign: "name" | "localhost") {
  const proxy = await WireProxy.start("127.0.0.2");
  const emulator = await Emulator.start({
    host: "127.0.0.2",
    mqttPort: proxy.port,
    assign,
    assigningPolls: 0,
    retryAfterSeconds,
  });
  const enrollment = emulator.dps.enroll({ registrationId, attestation: { method: "symmetric_key" } });
  return { proxy, emulator, symmetricKey: enrollment.deviceKey() };
}

/** The world of Microsoft's library, which finds the emulator as `localhost:PORT`. */
export async function openSdkWorld(): Promise<World> {
  const { proxy, emulator, symmetricKey } = await openEmulator("localhost");
  const { idScope, caFile } = emulator.ready;
  const device = { dpsHost: `localhost:${proxy.port}`, idScope, registrationId, symmetricKey, body };
  const driver = "bench/drivers/sdk-device.mjs";
  return {
    proxy,
    programFiles: [driver, ...loadedFiles(sdkPackages)],
    start: async () => ({
      args: [driver],
      env: { NODE_EXTRA_CA_CERTS: caFile, BENCH_DEVICE: JSON.stringify(device) },
      input: "",
      acknowledged: "acknowledged",
    }),
    [Symbol.asyncDispose]: async () => {
      await proxy[Symbol.asyncDispose]();
      await emulator.close();
    },
  };
}

/** The world of `landfall run`, started from `program`, which is one file or begins with it. */
export async function openLandfallWorld(program: string): Promise<World> {
  const { proxy, emulator, symmetricKey } = await openEmulator("name");
  const { idScope, caFile } = emulator.ready;
  const directory = await mkdtemp(join(tmpdir(), "landfall-bench-"));
  const file = join(directory, "landfall.toml");
  const state = join(directory, "state");
  const configuration = `
[provisioning]
source = "dps"
id_scope = "${idScope}"
[provisioning.attestation]
method = "symmetric_key"
registration_id = "${registrationId}"
symmetric_key = "${symmetricKey}"
[network]
trust_bundle = "${caFile}"
connect_to = [":8883:127.0.0.1:${proxy.port}"]
[telemetry]
interval = "0s"
[state]
directory = "${state}"
`;
  await mkdir(state, { mode: 0o700 });
  await writeFile(file, configuration, { mode: 0o600 });
  return {
    proxy,
    programFiles: [program],
    start: async (fresh) => {
      if (fresh) await rm(state, { recursive: true, force: true });
      return {
        args: [program, "run", "-c", file, "--stdin", "--json", "--log-level", "error"],
        env: {},
        input: `${body}\n`,
        acknowledged: '"telemetry-acknowledged"',
      };
    },
    [Symbol.asyncDispose]: async () => {
      await proxy[Symbol.asyncDispose]();
      await emulator.close();
      await rm(directory, { recursive: true });
    },
  };
}
