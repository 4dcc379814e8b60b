import { join } from "node:path";
import { type CreatedAttestation, createAttestation } from "../attestation/create-attestation.ts";
import type { Clock } from "../clock.ts";
import { isKeptInMcu } from "../config/kept-in-mcu.ts";
import { inMcu } from "../config/mcu-place.ts";
import type { Settings, X509Settings } from "../config/settings.ts";
import type { Dialer } from "../endpoint/dialer.ts";
import { EndpointFinder } from "../endpoint/endpoint-finder.ts";
import { evidenceSources } from "../endpoint/evidence-sources.ts";
import type { ExplainedDecision } from "../endpoint/explain.ts";
import { normaliseHost } from "../endpoint/host-name.ts";
import { memoryFile, NetworkMemoryStore } from "../endpoint/network-memory-store.ts";
import { routeOf } from "../endpoint/route-of.ts";
import type { OpenedMcu } from "../keys/mcu/opened-mcu.ts";
import { silentLogger } from "../log.ts";
import { AssignmentStore, type StoredAssignment } from "../provisioning/assignment-store.ts";
import { lookUpRegistration, type RegistrationLookUp } from "../provisioning/look-up.ts";
import { StateFile } from "../state-file.ts";
import { HttpsDps } from "../transport/https/https-dps.ts";
import { type CertificateParts, readCertificateParts } from "./certificate-parts.ts";
import type { KnownHub, Subject } from "./context.ts";
import { identityOf } from "./identity.ts";
import { requestTimeoutMs } from "./limits.ts";
import { isFor } from "./own-assignment.ts";
import { type ServiceName, usedPort } from "./service.ts";

/** What {@link Facts} works with. */
export interface FactsParts {
  readonly clock: Clock;
  readonly dialer: Dialer;
  readonly signal: AbortSignal;
}

/** What several checks need: each found out once, when it is first asked for. */
export class Facts {
  readonly #settings: Settings;
  readonly #parts: FactsParts;
  readonly #finder: EndpointFinder;
  readonly #subjects = new Map<ServiceName, Promise<Subject | undefined>>();
  #certificate: Promise<CertificateParts | undefined> | undefined;
  #attestation: Promise<CreatedAttestation> | undefined;
  #mcu: Promise<OpenedMcu> | undefined;
  #assignment: Promise<StoredAssignment> | undefined;
  #lookUp: Promise<RegistrationLookUp> | undefined;
  #hub: Promise<KnownHub | undefined> | undefined;

  constructor(settings: Settings, parts: FactsParts) {
    this.#settings = settings;
    this.#parts = parts;
    this.#finder = this.#createFinder();
  }

  subject(service: ServiceName): Promise<Subject | undefined> {
    const known = this.#subjects.get(service);
    if (known !== undefined) return known;
    const found = this.#find(service);
    found.catch(() => {}); // told to whoever asks
    this.#subjects.set(service, found);
    return found;
  }

  certificate(): Promise<CertificateParts | undefined> {
    const identity = identityOf(this.#settings);
    this.#certificate ??= identity.method === "x509" ? this.#readCertificate(identity) : Promise.resolve(undefined);
    return this.#certificate;
  }

  attestation(): Promise<CreatedAttestation> {
    this.#attestation ??= this.#attest();
    return this.#attestation;
  }

  assignment(): Promise<StoredAssignment> {
    this.#assignment ??= new AssignmentStore({ directory: this.#settings.state.directory }).inspect();
    return this.#assignment;
  }

  lookUp(): Promise<RegistrationLookUp> {
    this.#lookUp ??= this.#askDps();
    return this.#lookUp;
  }

  hub(): Promise<KnownHub | undefined> {
    this.#hub ??= this.#findHub();
    return this.#hub;
  }

  async close(): Promise<void> {
    const opened = await this.#attestation?.catch(() => undefined);
    await opened?.attestation.close();
    const mcu = await this.#mcu?.catch(() => undefined);
    await mcu?.close();
  }

  async #attest(): Promise<CreatedAttestation> {
    const { source } = this.#settings.provisioning;
    const context = { source, clock: this.#parts.clock, readOnly: true, mcu: await this.#openedMcu() };
    return createAttestation(identityOf(this.#settings), context);
  }

  async #readCertificate(identity: X509Settings): Promise<CertificateParts> {
    try {
      return await readCertificateParts(identity, await this.#openedMcu());
    } catch (error) {
      return { chain: undefined, location: inMcu, publicKey: undefined, errors: [error] };
    }
  }

  /** The MCU, where something is kept in it. The port has one user, so that an agent that runs keeps it from us. */
  async #openedMcu(): Promise<OpenedMcu | undefined> {
    const [identity, settings] = [identityOf(this.#settings), this.#settings.mcu];
    if (settings === undefined || !isKeptInMcu(identity)) return undefined;
    const { openMcu } = await import("../keys/mcu/open-mcu.ts");
    const { clock } = this.#parts;
    const surroundings = { clock, random: Math.random, log: silentLogger, mustBeThere: true };
    this.#mcu ??= openMcu(settings, identity, surroundings);
    return this.#mcu;
  }

  /** Nothing is ever saved through it: only `verified` writes, and nobody calls that here. */
  #createFinder(): EndpointFinder {
    const { provisioning, network, state } = this.#settings;
    const { clock } = this.#parts;
    return new EndpointFinder({
      settings: provisioning.endpoint,
      sources: (manner) => evidenceSources(network, manner, clock),
      memory: new NetworkMemoryStore(new StateFile(join(state.directory, memoryFile))),
      clock,
    });
  }

  async #find(service: ServiceName): Promise<Subject | undefined> {
    const { provisioning, hub } = this.#settings;
    const options = { signal: this.#parts.signal };
    const transport =
      service === "hub" ? hub.transport : provisioning.source === "dps" ? provisioning.transport : "mqtt";
    const isDevices = service === "dps" || service === "hub";
    const manner = {
      port: usedPort(service, this.#settings),
      proxy: isDevices && transport !== "mqtt" ? "allowed" : "never",
    } as const;
    if (service === "dps") {
      return provisioning.source === "dps" ? subjectOf(await this.#finder.dps(manner, options)) : undefined;
    }
    const host = await this.#hostOf(service);
    if (host === undefined) return undefined;
    if (service !== "hub") return subjectOf(await this.#finder.named(host, manner, options), host);
    await this.subject("dps");
    return subjectOf(await this.#finder.hub(host, manner, options), host);
  }

  async #hostOf(service: Exclude<ServiceName, "dps">): Promise<string | undefined> {
    const { eventHubs, deviceUpdate, digitalTwins } = this.#settings.doctor;
    switch (service) {
      case "hub":
        return (await this.hub())?.host;
      case "event-hubs":
        return eventHubs;
      case "device-update":
        return deviceUpdate;
      case "digital-twins":
        return digitalTwins;
    }
  }

  async #askDps(): Promise<RegistrationLookUp> {
    const { provisioning } = this.#settings;
    const { dialer, clock, signal } = this.#parts;
    const subject = await this.subject("dps");
    if (subject === undefined || provisioning.source !== "dps") throw new TypeError("there is no DPS to ask");
    const { attestation } = await this.attestation();
    const dps = new HttpsDps({ dialer, clock, requestTimeoutMs });
    const parts = { dps, route: routeOf(subject.decision), idScope: provisioning.idScope, attestation };
    return lookUpRegistration(parts, { signal });
  }

  async #findHub(): Promise<KnownHub | undefined> {
    const { provisioning } = this.#settings;
    if (provisioning.source === "manual") {
      return { host: provisioning.iothubHostname, deviceId: provisioning.deviceId, origin: "configuration" };
    }
    const stored = await this.assignment().catch(() => undefined);
    const id = await this.attestation().then(
      ({ attestation }) => attestation.registrationId,
      () => undefined,
    );
    if (stored?.state === "stored" && isFor(stored, provisioning.idScope, id)) {
      const { assignedHub: host, deviceId } = stored.assignment;
      return { host, deviceId, origin: "stored assignment" };
    }
    const answer = await this.#lookUp?.then(
      (found) => found.answer,
      () => undefined,
    );
    if (answer?.kind !== "assigned") return undefined;
    const { assignedHub: host, deviceId } = answer.assignment;
    return { host, deviceId, origin: "DPS" };
  }
}

function subjectOf(found: ExplainedDecision, host?: string): Subject {
  const named = host ?? found.evidence.names[0]?.host ?? found.decision.host;
  return { ...found, host: named === undefined ? undefined : normaliseHost(named) };
}
