import type { Duplex } from "node:stream";
import { systemClock } from "../clock.ts";
import { LandfallError } from "../errors.ts";
import { type Logger, silentLogger } from "../log.ts";
import { openAuthority, type StoredAuthority } from "./authority-directory.ts";
import { BlobStore } from "./blob-store.ts";
import { parseBrokerUrl } from "./broker/broker-address.ts";
import { BrokerAttachment } from "./broker/broker-attachment.ts";
import type { Caller } from "./caller.ts";
import type { CertificateAuthority } from "./certificate-authority.ts";
import { Dps } from "./dps/dps.ts";
import { parseDpsUsername } from "./dps/dps-username.ts";
import { EventLog } from "./event-log.ts";
import type { Fault } from "./faults/fault.ts";
import type { ScriptedFault } from "./faults/fault-file.ts";
import type { FaultScript } from "./faults/fault-script.ts";
import { FrontDoor } from "./front-door.ts";
import { HttpsService } from "./https/https-service.ts";
import { Hub } from "./hub/hub.ts";
import { hubHostName } from "./hub/hub-names.ts";
import type { DeviceLink } from "./mqtt/device-link.ts";
import { type CutManner, MqttLink } from "./mqtt/link.ts";
import type { ConnectPacket } from "./mqtt/packets.ts";
import type { Peer } from "./mqtt/peer.ts";
import type { MqttService } from "./mqtt/service.ts";
import { checkOptions, type EmulatorOptions, type EmulatorReady } from "./options.ts";
import { type PathRefusal, refusingService } from "./path-guard.ts";
import { secureRandom } from "./randomness.ts";
import { blobHost, certificateNames, checkHubNames, destinationOf, globalDpsHost } from "./service-names.ts";

/**
 * A Device Provisioning Service and IoT hubs on this machine, for tests and for trying things out. Credentials are checked
 * as the cloud checks them; nothing here is meant to be reached by anybody else.
 *
 * ```ts
 * await using emulator = await Emulator.start({ hubs: ["hub-a"] });
 * const enrollment = emulator.dps.enroll({ registrationId: "dev-1", attestation: { method: "symmetric_key" } });
 * // … start the device under test with emulator.ready.caFile, emulator.connectTo and enrollment.deviceKey() …
 * for await (const message of emulator.hub("hub-a").telemetry()) console.log(message.json());
 * ```
 */
export class Emulator implements AsyncDisposable {
  readonly dps: Dps;
  /** In the order in which they were named. */
  readonly hubs: readonly Hub[];
  /** What DPS and hubs have seen. */
  readonly events: EventLog;
  readonly #log: Logger;
  readonly #options: EmulatorOptions;
  readonly #stored: StoredAuthority;
  readonly #https: HttpsService;
  #door: FrontDoor | undefined;
  #broker: BrokerAttachment | undefined;
  #closing: Promise<void> | undefined;

  private constructor(options: EmulatorOptions, authority: StoredAuthority) {
    const { clock = systemClock, random = secureRandom, log = silentLogger, recordLimit = 10_000 } = options;
    this.#options = options;
    this.#stored = authority;
    this.#log = log;
    this.events = new EventLog(clock, recordLimit);
    const shared = { clock, random, log, events: this.events };
    const blobs = new BlobStore(random, () => this.#blobAddress());
    const { maxDeliveryCount, messageTimeToLiveMs } = options;
    const hubOptions = { recordLimit, blobs, maxDeliveryCount, messageTimeToLiveMs, ...shared };
    this.hubs = hubNamesOf(options).map((name) => new Hub({ name, hostName: hubHostName(name), ...hubOptions }));
    this.dps = new Dps({
      ...shared,
      idScope: options.idScope ?? "0ne00ABCDEF",
      hubs: () =>
        this.hubs.map(({ name, registry, hostName }) => ({
          name,
          hostName,
          registry,
          address: this.#address(hostName),
        })),
      assigningPolls: options.assigningPolls ?? 1,
      retryAfterSeconds: options.retryAfterSeconds ?? 1,
      quotas: options.quotas,
    });
    this.#https = new HttpsService({
      dps: this.dps,
      hubs: this.hubs,
      blobs,
      furtherHosts: options.furtherHosts ?? [],
      refusalFor: (caller, idScope) => this.#refusalFor(caller, idScope),
      clock,
      log: log.child("https"),
    });
    for (const enrollment of options.enrollments ?? []) this.dps.enroll(enrollment);
    for (const fault of options.faults ?? []) this.#script(fault);
  }

  /**
   * Starts everything; resolves when both ports are open, and the broker has let the emulator in where there is one.
   * Rejects with `emulator.listen-failed`, `emulator.authority-unusable`, `emulator.broker-failed`, or `emulator.rejected`
   * for options that cannot be.
   */
  static async start(options: EmulatorOptions = {}): Promise<Emulator> {
    const hubs = checkHubNames(hubNamesOf(options));
    checkOptions(options, hubs);
    if (options.broker !== undefined) parseBrokerUrl(options.broker.url);
    const stored = await openAuthority(options.directory);
    try {
      const emulator = new Emulator(options, stored);
      const names = certificateNames(hubs, options.host ?? "127.0.0.1");
      await emulator.#open([...names, ...(options.furtherHosts ?? [])]);
      return emulator;
    } catch (error) {
      await stored.discard();
      throw error;
    }
  }

  /** Where everything is. */
  get ready(): EmulatorReady {
    const { broker } = this.#options;
    return {
      schema: "landfall.emulator/1",
      mqttPort: this.#door?.mqttPort ?? 0,
      wsPort: this.#door?.webSocketPort ?? 0,
      caFile: this.#stored.caFile,
      idScope: this.dps.idScope,
      dpsHost: globalDpsHost,
      hubs: this.hubs.map(({ hostName }) => hostName),
      ...(broker === undefined ? {} : { broker: parseBrokerUrl(broker.url).text }),
    };
  }

  /** The authority that signed the server's certificate; clients have to trust its certificate. */
  get authority(): CertificateAuthority {
    return this.#stored.authority;
  }

  /**
   * Rules in the form of curl's `--connect-to` that lead every Azure name to this emulator: what goes to port 8883 and
   * what goes to port 443.
   */
  get connectTo(): readonly string[] {
    const { mqttPort, wsPort } = this.ready;
    const host = dialable(this.#options.host ?? "127.0.0.1");
    return [`:8883:${host}:${mqttPort}`, `:443:${host}:${wsPort}`];
  }

  /**
   * A hub by its name or host name; without a name, the first.
   * Throws `emulator.rejected` when there is none by that name.
   */
  hub(name: string | undefined = this.hubs[0]?.name): Hub {
    const hub = this.hubs.find((each) => each.name === name || each.hostName === name);
    if (hub !== undefined) return hub;
    const names = this.hubs.map((each) => each.name).join(", ");
    throw new LandfallError("emulator.rejected", `There is no hub ${name}; there are: ${names}.`);
  }

  /** Closes both ports, cuts every connection and ends everybody who reads or waits. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #open(names: readonly string[]): Promise<void> {
    const { host = "127.0.0.1", mqttPort = 0, webSocketPort = 0 } = this.#options;
    const { authority } = this.#stored;
    this.#door = await FrontDoor.open({
      host,
      mqttPort,
      webSocketPort,
      certificate: await authority.issue({ commonName: "landfall emulator", dnsNames: names, usage: "server" }),
      log: this.#log,
      onConnection: (stream, peer, cut) => this.#welcome(stream, peer, cut),
      onRequest: (request, response, caller) => void this.#https.serve(request, response, caller),
    });
    await this.#attach().catch(async (error: unknown) => {
      await this.#door?.close();
      throw error;
    });
  }

  async #attach(): Promise<void> {
    const { broker, clock = systemClock } = this.#options;
    if (broker === undefined) return;
    this.#broker = await BrokerAttachment.open(broker, {
      dps: this.dps,
      hubs: this.hubs,
      clock,
      log: this.#log.child("broker"),
      onBreach: (rule, service, clientId) => this.events.add("rule.broken", { rule, service, clientId }),
    });
  }

  #script({ service, id = "*", step, fault, times }: ScriptedFault): void {
    const script: FaultScript<string, Fault> = service === "dps" ? this.dps.faults : this.hub(service).faults;
    script.next(id, step, fault, times);
  }

  #welcome(stream: Duplex, peer: Peer, cut: (manner: CutManner) => void): void {
    new MqttLink({
      stream,
      peer,
      cut,
      log: this.#log,
      route: (link, packet) => this.#route(link, packet),
      onBreach: (rule, service, clientId) => this.events.add("rule.broken", { rule, service, clientId }),
    });
  }

  #route(link: DeviceLink, { username = "", clientId }: ConnectPacket): MqttService | undefined {
    const { serverName } = link.peer;
    const destination = destinationOf(serverName, username, this.hubs);
    if (destination === undefined) {
      this.#log.warn(() => `nobody serves ${clientId}: server name ${serverName}, user name ${username}`);
      return undefined;
    }
    const refusal = this.#refusalFor(link.peer, parseDpsUsername(username)?.idScope);
    if (refusal !== undefined) return refusingService(destination.service, refusal.connack);
    return destination.service === "dps" ? this.dps.service : destination.hub.service;
  }

  #refusalFor(
    { serverName = "", localPort, remotePort }: Caller,
    idScope: string | undefined,
  ): PathRefusal | undefined {
    return this.#options.guard?.({ serverName, localPort, remotePort, idScope });
  }

  #address(hostName: string): string {
    return this.#options.assign === "localhost" ? `localhost:${this.ready.mqttPort}` : hostName;
  }

  #blobAddress(): string {
    return this.#options.assign === "localhost" ? `localhost:${this.ready.wsPort}` : blobHost;
  }

  async #close(): Promise<void> {
    await this.#broker?.close();
    await this.#door?.close();
    for (const hub of this.hubs) hub.close();
    this.events.close();
    await this.#stored.discard();
  }
}

/** The address that a client on this machine dials, as it stands before a port. */
function dialable(host: string): string {
  if (host === "0.0.0.0") return "127.0.0.1";
  if (host === "::") return "[::1]";
  return host.includes(":") ? `[${host}]` : host;
}

function hubNamesOf({ hubs = ["hub-a"] }: EmulatorOptions): readonly string[] {
  return hubs;
}
