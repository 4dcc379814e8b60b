import { once } from "node:events";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { createServer, type Server } from "node:tls";
import { Agent, type AgentOptions } from "../../src/agent/agent.ts";
import { settingsFrom } from "../../src/config/settings-from.ts";
import type { Configuration } from "../../src/config/settings-schema.ts";
import { renderTemplate } from "../../src/config/template.ts";
import { CertificateAuthority } from "../../src/emulator/certificate-authority.ts";
import { Scene } from "../../src/emulator/private-link/catalogue/scene.ts";
import { EmulatedWorld } from "../../src/emulator/private-link/emulated-world.ts";
import type { Arrival } from "../../src/emulator/private-link/network/arrivals.ts";
import type { PlaceKind } from "../../src/emulator/private-link/network/path.ts";
import type { Place, PlaceSettings } from "../../src/emulator/private-link/place.ts";
import { memoryFile } from "../../src/endpoint/network-memory-store.ts";
import { createLogger, type LogRecord } from "../../src/log.ts";
import { Sightings } from "../../src/testing/sightings.ts";
import { AgentRecord } from "./agent-record.ts";
import { WorldClock } from "./agent-world.ts";
import type { ScratchFolder } from "./scratch-folder.ts";

/** The names in a scene that nobody renamed. */
export const sceneHosts = {
  dps: "mydps.azure-devices-provisioning.net",
  global: "global.azure-devices-provisioning.net",
  hub: "myhub.azure-devices.net",
  govHub: "myhub-usgov.azure-devices.us",
} as const;

/** Addresses of a scene that nobody rearranged. */
export const sceneAddresses = { globalDps: "20.42.0.20" } as const;

const registrationId = "press-0001";

/** Sections of the configuration that differ from the usual one. */
export interface DeviceChanges {
  readonly provisioning?: Record<string, unknown>;
  readonly network?: Record<string, unknown>;
}

/** How a device and its world begin. */
export interface DeviceStart {
  readonly scene?: Scene;
  readonly kind?: PlaceKind;
  readonly settings?: PlaceSettings;
  /** The hub that its enrollment names. Default the scene's. */
  readonly hub?: string;
}

let devices = 0;

/** A device in a private-link world: its place, its disk, and the agents that run on it one after the other. */
export class PrivateLinkDevice extends AgentRecord implements AsyncDisposable {
  readonly scene: Scene;
  readonly emulated: EmulatedWorld;
  readonly place: Place;
  readonly #log = new Sightings<LogRecord>();
  readonly clock: WorldClock;
  readonly #directory: string;
  readonly #key: string;
  readonly #stranger: Server;
  readonly #agents: Agent[] = [];

  private constructor(parts: {
    scene: Scene;
    emulated: EmulatedWorld;
    place: Place;
    clock: WorldClock;
    directory: string;
    stranger: Server;
    hub: string;
  }) {
    super();
    this.scene = parts.scene;
    this.emulated = parts.emulated;
    this.place = parts.place;
    this.clock = parts.clock;
    this.#directory = parts.directory;
    this.#stranger = parts.stranger;
    this.#key = parts.emulated.emulator.dps.enroll({
      registrationId,
      attestation: { method: "symmetric_key" },
      hubs: [parts.hub],
      allocation: "static",
    }).primaryKey;
  }

  /** Default: a healthy scene, seen from inside the virtual network. */
  static async open(
    folder: ScratchFolder,
    { scene = new Scene(), kind = "vnet", settings, hub = sceneHosts.hub }: DeviceStart = {},
  ): Promise<PrivateLinkDevice> {
    const clock = new WorldClock();
    const stranger = await startStranger();
    const emulated = await EmulatedWorld.start({
      estate: scene.estate,
      clock,
      retryAfterSeconds: 7,
      strangerPort: (stranger.address() as AddressInfo).port,
    });
    const place = await emulated.world.place(kind, settings);
    const directory = folder.file(`device-${++devices}`);
    await mkdir(directory, { mode: 0o700 });
    return new PrivateLinkDevice({ scene, emulated, place, clock, directory, stranger, hub });
  }

  /** The configuration as the place is now. */
  async configuration({ provisioning, network }: DeviceChanges = {}): Promise<Configuration> {
    const hostsFile = join(this.#directory, "hosts");
    await writeFile(hostsFile, this.place.hostsFile);
    return {
      provisioning: {
        source: "dps",
        id_scope: "0ne00000001",
        dps_name: "mydps",
        ...provisioning,
        attestation: { method: "symmetric_key", registration_id: registrationId, symmetric_key: { value: this.#key } },
      },
      network: {
        trust_bundle: this.emulated.emulator.ready.caFile,
        name_servers: this.place.nameServers,
        connect_to: this.place.connectTo,
        hosts_file: hostsFile,
        ...network,
      },
      state: { directory: join(this.#directory, "state") },
    } as unknown as Configuration;
  }

  /** Writes the configuration to the device's disk; gives the file's path. */
  async configurationFile(changes: DeviceChanges = {}): Promise<string> {
    const file = join(this.#directory, "landfall.toml");
    const configuration = await this.configuration(changes);
    await writeFile(file, renderTemplate(configuration as unknown as Parameters<typeof renderTemplate>[0]), {
      mode: 0o600,
    });
    return file;
  }

  /** An agent on this device; the one before is closed. It waits long between attempts, so that a test sees one. */
  async agent(changes: DeviceChanges = {}, options: AgentOptions = {}): Promise<Agent> {
    await this.rest();
    const agent = await Agent.fromSettings(await settingsFrom(await this.configuration(changes)), {
      clock: this.clock,
      random: () => 0.5,
      log: createLogger("trace", (record) => this.#log.add(record)),
      ...options,
    });
    this.follow(agent);
    this.#agents.push(agent);
    return agent;
  }

  /** Everything that the agents logged. */
  get records(): readonly LogRecord[] {
    return this.#log.all;
  }

  /** The error of the attempt to reach DPS that fails first; the agent then tries again. */
  async failedAttempt(): Promise<unknown> {
    for (let seen = this.records.length; ; seen++) {
      const record = this.records.find(({ message }) => message === "trying again");
      if (record !== undefined) return record.fields?.error;
      await this.#log.nth(seen + 1);
    }
  }

  /** Ends the agents that run. */
  async rest(): Promise<void> {
    // An agent may have something under way that closing waits for a while.
    await Promise.all([...this.#agents.splice(0).map((agent) => agent.close()), this.clock.advance(10_000)]);
  }

  /** The addresses that connections arrived at since the `since`-th, each once. */
  arrivedAt(since = 0): string[] {
    return [...new Set(this.place.arrivals.slice(since).map(({ address }) => address))];
  }

  /** Bytes that arrived at addresses outside the virtual network, and at the global endpoint's among them. */
  get publicArrivals(): readonly Arrival[] {
    return this.place.arrivals.filter(({ address }) => !this.scene.network.covers(address));
  }

  /** The network memory's text; undefined when nothing was ever remembered. */
  async memory(): Promise<string | undefined> {
    return readFile(join(this.#directory, "state", memoryFile), "utf8").catch(() => undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.rest();
    this.#stranger.close();
    await this.emulated.close();
  }
}

/** Some other machine that speaks TLS: with a certificate of its own, by an authority that nobody here knows. */
async function startStranger(): Promise<Server> {
  const authority = await CertificateAuthority.create({ commonName: "Stranger's root" });
  const { chainPem, privateKeyPem } = await authority.issue({
    commonName: "printer.corp.example",
    dnsNames: ["printer.corp.example"],
    usage: "server",
  });
  const server = createServer({ cert: chainPem, key: privateKeyPem }, (socket) => socket.on("error", () => {}));
  server.on("tlsClientError", () => {});
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}
