import { fileURLToPath } from "node:url";
import { Emulator, type EmulatorOptions } from "../../src/emulator/index.ts";
import { blobHost } from "../../src/emulator/service-names.ts";
import { RunningProcess } from "../support/landfall-process.ts";
import { openPrivateWorld, type PrivateWorld } from "../support/private-world.ts";
import type { ScratchFolder } from "../support/scratch-folder.ts";
import type { Client } from "./clients.ts";

/** The blob store's name in the cloud's manner is the emulator's own choice. */
const realNames = (emulator: Emulator): readonly string[] => [emulator.ready.dpsHost, ...emulator.ready.hubs, blobHost];

/** What a driver is told; the drivers say what they make of it. */
export type DriverInput = Readonly<Record<string, unknown>>;

/** One client of the official SDK and an emulator of its own. */
export class Scene implements AsyncDisposable {
  readonly emulator: Emulator;
  readonly client: Client;
  readonly #world: PrivateWorld | undefined;

  private constructor(emulator: Emulator, client: Client, world: PrivateWorld | undefined) {
    this.emulator = emulator;
    this.client = client;
    this.#world = world;
  }

  /** @param named whether the client needs the names and ports of the cloud, which only a private world has */
  static async open(
    client: Client,
    named: boolean,
    scratch: ScratchFolder,
    options: EmulatorOptions = {},
  ): Promise<Scene> {
    const emulator = await Emulator.start({ assign: named ? "name" : "localhost", ...options });
    const { mqttPort, wsPort } = emulator.ready;
    const doors = { 8883: mqttPort, 443: wsPort };
    const world = named ? await openPrivateWorld(scratch, realNames(emulator), doors) : undefined;
    return new Scene(emulator, client, world);
  }

  /** Where the client finds DPS: the SDK glues host and port into a URL, so a port may stand in the host's name. */
  get dpsHost(): string {
    return this.#world ? this.emulator.ready.dpsHost : `localhost:${this.emulator.ready.mqttPort}`;
  }

  /** Where the client finds a hub. */
  hubHost(name?: string): string {
    return this.#world ? this.emulator.hub(name).hostName : `localhost:${this.emulator.ready.mqttPort}`;
  }

  /** Starts a driver in a process of its own. */
  start(driver: string, input: DriverInput): RunningProcess {
    const { caFile, idScope } = this.emulator.ready;
    const about = { transport: this.client.transport, dpsHost: this.dpsHost, idScope, ...input };
    const program = [process.execPath, fileURLToPath(new URL(`drivers/${driver}.mjs`, import.meta.url))];
    const [command = "", ...args] = this.#world?.command(program) ?? program;
    return new RunningProcess(command, args, {
      env: { NODE_EXTRA_CA_CERTS: caFile, CONFORMANCE_INPUT: JSON.stringify(about) },
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#world?.[Symbol.asyncDispose]();
    await this.emulator.close();
  }
}
