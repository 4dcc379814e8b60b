import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer, type Server } from "node:tls";
import { stringify } from "smol-toml";
import { createAttestation } from "../../src/attestation/create-attestation.ts";
import { type Clock, systemClock } from "../../src/clock.ts";
import { parseConnectTo } from "../../src/config/connect-to.ts";
import type { LoadedFile } from "../../src/config/load.ts";
import { settingsFrom } from "../../src/config/settings-from.ts";
import type { Configuration } from "../../src/config/settings-schema.ts";
import { type ExamineOptions, examine } from "../../src/doctor/examine.ts";
import { openContext } from "../../src/doctor/open-context.ts";
import type { DoctorReport } from "../../src/doctor/report.ts";
import { CertificateAuthority } from "../../src/emulator/certificate-authority.ts";
import type { Enrollment } from "../../src/emulator/dps/enrollment.ts";
import type { EnrollmentOptions } from "../../src/emulator/dps/enrollment-options.ts";
import { Emulator } from "../../src/emulator/emulator.ts";
import type { PathGuard } from "../../src/emulator/path-guard.ts";
import { type OpenStage, openStage, type StageOptions } from "../../src/emulator/private-link/catalogue/stage.ts";
import type { Upstreams } from "../../src/emulator/private-link/network/address-book.ts";
import type { ResourceKind } from "../../src/emulator/private-link/resources/service-names.ts";
import { TlsDialer } from "../../src/endpoint/tls-dialer.ts";
import { silentLogger } from "../../src/log.ts";
import { AssignmentStore } from "../../src/provisioning/assignment-store.ts";
import { register } from "../../src/provisioning/register.ts";
import { Secret } from "../../src/secret.ts";
import { MqttDpsTransport } from "../../src/transport/mqtt/mqtt-dps-transport.ts";

/** The names of the resources in every scene. */
export const stageNames = {
  dps: "mydps.azure-devices-provisioning.net",
  hub: "myhub.azure-devices.net",
  otherHub: "myhub-usgov.azure-devices.us",
  events: "iothub-ns-myhub-5510.servicebus.windows.net",
  "device-update": "myupdates.api.adu.microsoft.com",
  "digital-twins": "mytwins.api.eus.digitaltwins.azure.net",
} as const;

const registrationId = "stage-device-0001";

/** Waits for addresses are cut short, for many rows have one that never answers; name servers get all of their time. */
export const hurriedClock: Clock = {
  now: () => systemClock.now(),
  elapsed: () => systemClock.elapsed(),
  sleep: (ms, options) => systemClock.sleep(ms < 5000 ? ms : ms < 15_000 ? ms / 8 : ms / 2, options),
};

/** What a device of a stage is configured with, beside the stage itself. */
export interface StageDevice {
  readonly provisioning?: Record<string, unknown>;
  readonly hubTransport?: "mqtt" | "mqtt-ws";
  /** The hub that its last registration named; default the scene's. `undefined`: it never registered. */
  readonly assignedHub?: string | undefined;
  /** Services beside DPS and hub that the doctor is to look at. Default: all. */
  readonly services?: readonly ResourceKind[];
  readonly network?: Record<string, unknown>;
  /** Default: the device that is registered. Another one has an enrollment and was never registered. */
  readonly registrationId?: string;
  /** Default: the key of the enrollment. */
  readonly key?: string;
  /** A certificate instead of a key; its device has an enrollment and was never registered. */
  readonly certificate?: boolean;
}

/** Emulated services behind the private-link world, one set for all the stages of a test file. */
export class DoctorStage implements AsyncDisposable {
  readonly emulator: Emulator;
  readonly directory: string;
  readonly #stranger: Server;
  readonly #key: string;
  #open: OpenStage | undefined;

  private constructor(emulator: Emulator, stranger: Server, directory: string) {
    this.emulator = emulator;
    this.#stranger = stranger;
    this.directory = directory;
    const enrollment = emulator.dps.enroll({
      registrationId,
      attestation: { method: "symmetric_key" },
      hubs: [stageNames.hub],
      allocation: "static",
    });
    this.#key = enrollment.primaryKey;
  }

  static async open(): Promise<DoctorStage> {
    const current: { guard?: PathGuard } = {};
    const emulator = await Emulator.start({
      idScope: "0ne00000001",
      hubs: [stageNames.hub, stageNames.otherHub],
      furtherHosts: [stageNames.events, stageNames["device-update"], stageNames["digital-twins"]],
      guard: (client) => current.guard?.(client),
    });
    const stage = new DoctorStage(emulator, await startStranger(), await mkdtemp(join(tmpdir(), "landfall-stage-")));
    await stage.#register();
    current.guard = (client) => stage.#judge(client);
    return stage;
  }

  /** So that DPS has an assignment to tell of. */
  async #register(): Promise<void> {
    const { authority, connectTo } = this.emulator;
    const dialer = new TlsDialer({
      clock: systemClock,
      trustBundle: authority.certificatePem,
      connectTo: connectTo.flatMap((rule) => parseConnectTo(rule) ?? []),
    });
    const { attestation } = await createAttestation(
      { method: "symmetric_key", registrationId, symmetricKey: new Secret(this.#key), derive: false },
      { source: "dps", clock: systemClock },
    );
    await register({
      transport: new MqttDpsTransport({ dialer, clock: systemClock }),
      route: { host: stageNames.dps },
      idScope: "0ne00000001",
      attestation,
      clock: hurriedClock,
      random: () => 0,
      log: silentLogger,
      timeoutMs: 60_000,
    });
  }

  get #upstreams(): Upstreams {
    const { mqttPort, wsPort } = this.emulator.ready;
    const { port } = this.#stranger.address() as AddressInfo;
    return { services: { 8883: mqttPort, 443: wsPort, 5671: mqttPort }, stranger: port };
  }

  /** Stages a row of the catalogue in place of the one before. */
  async show(id: string, options: StageOptions = {}): Promise<OpenStage> {
    await this.#open?.world.close();
    this.#open = await openStage(id, { ...options, upstreams: this.#upstreams });
    return this.#open;
  }

  /** The key of the device that is registered. */
  get deviceKey(): string {
    return this.#key;
  }

  get registrationId(): string {
    return registrationId;
  }

  /** The configuration of a device in the present stage, loaded. */
  async load(device: StageDevice = {}): Promise<LoadedFile> {
    const loaded = await settingsFrom(await this.#configuration(device), { env: { HOME: this.directory } });
    return { ...loaded, file: join(this.directory, "landfall.toml") };
  }

  /** The same as a file; gives its path. */
  async writeConfiguration(device: StageDevice = {}): Promise<string> {
    const path = join(this.directory, "landfall.toml");
    await writeFile(path, stringify(await this.#configuration(device)), { mode: 0o600 });
    return path;
  }

  async #configuration(device: StageDevice): Promise<Configuration> {
    const { place } = this.#present();
    const services = device.services ?? ["hub", "device-update", "digital-twins"];
    const hostsFile = join(this.directory, "hosts");
    await writeFile(hostsFile, place.hostsFile);
    const attestation = await this.#attestation(device);
    await this.#store("assignedHub" in device ? device.assignedHub : stageNames.hub, attestation.registration_id);
    return {
      provisioning: { source: "dps", id_scope: "0ne00000001", dps_name: "mydps", ...device.provisioning, attestation },
      hub: { transport: device.hubTransport ?? "mqtt" },
      network: {
        trust_bundle: this.emulator.ready.caFile,
        name_servers: place.nameServers,
        connect_to: place.connectTo,
        hosts_file: hostsFile,
        ...device.network,
      },
      doctor: {
        ...(services.includes("hub") ? { event_hubs: stageNames.events } : {}),
        ...(services.includes("device-update") ? { device_update: stageNames["device-update"] } : {}),
        ...(services.includes("digital-twins") ? { digital_twins: stageNames["digital-twins"] } : {}),
      },
      state: { directory: join(this.directory, "state") },
    } as Configuration;
  }

  async #attestation(device: StageDevice) {
    const { registrationId: id = device.certificate ? "stage-device-0002" : registrationId } = device;
    if (device.certificate) {
      const issued = await this.emulator.authority.issue({ commonName: id, usage: "client" });
      const [identity_cert, identity_pk] = [join(this.directory, "cert.pem"), join(this.directory, "key.pem")];
      await writeFile(identity_cert, issued.chainPem);
      await writeFile(identity_pk, issued.privateKeyPem, { mode: 0o600 });
      this.#enroll(id, { method: "x509", certificate: issued.certificatePem });
      return { method: "x509", registration_id: id, identity_cert, identity_pk } as const;
    }
    const enrolled = this.#enroll(id, { method: "symmetric_key" });
    const value = device.key ?? enrolled.primaryKey;
    return { method: "symmetric_key", registration_id: id, symmetric_key: { value } } as const;
  }

  #enroll(id: string, attestation: EnrollmentOptions["attestation"]): Enrollment {
    const known = this.emulator.dps.enrollments.find((each) => each.id === id);
    return known ?? this.emulator.dps.enroll({ registrationId: id, attestation });
  }

  /** Examines a device in the present stage. */
  async examine(
    device: StageDevice = {},
    options: Partial<ExamineOptions> & { readonly mayConnectToHub?: boolean } = {},
  ): Promise<DoctorReport> {
    const { mayConnectToHub = true, ...rest } = options;
    return examine({
      clock: hurriedClock,
      load: () => this.load(device),
      open: (loaded, signal) => openContext(loaded, { clock: hurriedClock, signal, mayConnectToHub }),
      timeLimitMs: 300_000,
      ...rest,
    });
  }

  async close(): Promise<void> {
    await this.#open?.world.close();
    this.#stranger.close();
    await this.emulator.close();
    await rm(this.directory, { recursive: true });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #present(): OpenStage {
    if (this.#open === undefined) throw new TypeError("no row is staged");
    return this.#open;
  }

  #judge({ serverName, localPort, remotePort, idScope }: Parameters<PathGuard>[0]): ReturnType<PathGuard> {
    const { world } = this.#present();
    const arrival = world.resolveArrival({ localPort, remotePort });
    if (arrival === undefined) return undefined;
    const admission = world.admit({ serverName, arrival, idScope });
    return admission?.carried === true ? admission.refusal : undefined;
  }

  /** Puts into the state directory what an earlier registration left. */
  async #store(assignedHub: string | undefined, id: string): Promise<void> {
    const directory = join(this.directory, "state");
    await rm(directory, { recursive: true, force: true });
    if (assignedHub === undefined) return;
    const binding = { idScope: "0ne00000001", registrationId: id, endpoint: "auto" };
    await new AssignmentStore({ directory }).write(binding, { assignedHub, deviceId: id });
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
