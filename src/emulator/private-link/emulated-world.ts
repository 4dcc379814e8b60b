import { Emulator } from "../emulator.ts";
import type { EmulatorOptions } from "../options.ts";
import type { ClientPath, PathRefusal } from "../path-guard.ts";
import type { Estate } from "./resources/estate.ts";
import type { ResourceKind } from "./resources/service-names.ts";
import { PrivateLinkWorld } from "./world.ts";

/** What {@link EmulatedWorld.start} takes. Names and the id scope come from the estate. */
export interface EmulatedWorldOptions extends Omit<EmulatorOptions, "hubs" | "idScope" | "furtherHosts" | "guard"> {
  /** What the owner has in Azure. What is created later has names and paths, and nobody who serves it. */
  readonly estate: Estate;
  /** Loopback port of a TLS server with a certificate of its own, for addresses that were given to somebody else. */
  readonly strangerPort?: number | undefined;
}

/**
 * Emulated services behind a private-link world: the paths lead to services that talk, and the services know by which path a
 * client came.
 *
 *     const scene = new Scene();
 *     await using emulated = await EmulatedWorld.start({ estate: scene.estate });
 *     const place = await emulated.world.place("vnet");
 *
 *     device ── DNS: place.nameServers ──> 10.20.0.4 ── place.connectTo ──> 127.0.0.1:41234 ── path ──> emulator
 */
export class EmulatedWorld implements AsyncDisposable {
  readonly emulator: Emulator;
  readonly world: PrivateLinkWorld;

  private constructor(emulator: Emulator, world: PrivateLinkWorld) {
    this.emulator = emulator;
    this.world = world;
  }

  /** Starts the services and the world around them. Rejects with `emulator.*` errors. */
  static async start({ estate, strangerPort, ...options }: EmulatedWorldOptions): Promise<EmulatedWorld> {
    const started: { world?: PrivateLinkWorld } = {};
    const hubs = hostsOf(estate, (kind, role) => kind === "hub" && role === "service");
    const idScope = estate.resources.find((each) => each.idScope !== undefined)?.idScope;
    const emulator = await Emulator.start({
      ...options,
      hubs,
      ...(idScope === undefined ? {} : { idScope }),
      furtherHosts: hostsOf(estate, (kind, role) => kind !== "dps" && (kind !== "hub" || role !== "service")),
      guard: (client) => started.world && refusalOf(started.world, client),
    });
    const { mqttPort, wsPort } = emulator.ready;
    const world = new PrivateLinkWorld({
      estate,
      upstreams: { services: { 8883: mqttPort, 443: wsPort, 5671: mqttPort }, stranger: strangerPort },
      clock: options.clock,
    });
    started.world = world;
    return new EmulatedWorld(emulator, world);
  }

  /** Closes every place, then the services. Idempotent. */
  async close(): Promise<void> {
    await this.world.close();
    await this.emulator.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

function hostsOf({ hosts }: Estate, wanted: (kind: ResourceKind, role: string) => boolean): readonly string[] {
  return hosts.filter(({ resource, host }) => wanted(resource.kind, host.role)).map(({ host }) => host.name);
}

/** Who did not come through a place has no path that could be judged. */
function refusalOf(world: PrivateLinkWorld, client: ClientPath): PathRefusal | undefined {
  const arrival = world.resolveArrival(client);
  if (arrival === undefined) return undefined;
  const admission = world.admit({ serverName: client.serverName, arrival, idScope: client.idScope });
  return admission?.carried === true ? admission.refusal : undefined;
}
