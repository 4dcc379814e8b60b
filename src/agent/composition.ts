import type { Attestation } from "../attestation/attestation.ts";
import { type CreatedAttestation, createAttestation } from "../attestation/create-attestation.ts";
import type { Clock } from "../clock.ts";
import type { AttestationSettings, DpsTransportName, Settings, TransportName } from "../config/settings.ts";
import type { Dialer } from "../endpoint/dialer.ts";
import { WitnessedDialer } from "../endpoint/witnessed-dialer.ts";
import type { OpenedMcu } from "../keys/mcu/opened-mcu.ts";
import type { Logger } from "../log.ts";
import { AssignmentStore } from "../provisioning/assignment-store.ts";
import { requireSupportedPair, requireSupportedSession } from "../provisioning/supported-pair.ts";
import type { MqttTransportOptions } from "../transport/mqtt/options.ts";
import type { CallOptions, DpsTransport, HubTransport } from "../transport/transport.ts";
import type { AssignmentSource } from "./assignment-source.ts";
import { ConfiguredAssignment } from "./configured-assignment.ts";
import { DpsAssignments } from "./dps-assignments.ts";
import { createDialer, decidedWays } from "./network.ts";
import { type OpeningDelayed, openPatiently } from "./patient-opening.ts";
import type { RouteFinder } from "./route-finder.ts";
import { Routes } from "./routes.ts";

/** What an agent is put together from, beside its settings. */
export interface Surroundings {
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  /** In place of the one that the settings name. */
  readonly dpsTransport?: DpsTransport | undefined;
  /** In place of the one that the settings name. */
  readonly hubTransport?: HubTransport | undefined;
  /** In place of the endpoint decision. */
  readonly routeFinder?: RouteFinder | undefined;
  /** Warnings that were logged already. */
  readonly said: readonly string[];
  /** Hardware that is not there is waited for, and this told of it. Absent: it is not. */
  readonly onWaiting?: ((about: OpeningDelayed) => void) | undefined;
}

/** The parts of an agent. */
export interface Composition {
  readonly attestation: Attestation;
  readonly assignments: AssignmentSource;
  readonly hubTransport: HubTransport;
  readonly routes: Routes;
  /** Absent when none is configured. */
  readonly mcu?: OpenedMcu;
}

/**
 * Puts together what the settings ask for. Opens keys and checks credentials; contacts nobody.
 *
 * Rejects with `key.*`, `tpm.*`, `serial.*`, `certificate.*`, `attestation.*` (also for a pair of attestation and transport
 * that the service does not support), `config.*`, or with `signal.reason`; nothing stays open then.
 */
export async function compose(
  settings: Settings,
  surroundings: Surroundings,
  options: CallOptions = {},
): Promise<Composition> {
  const { provisioning } = settings;
  const { clock, random, log, said, onWaiting } = surroundings;
  const identity = provisioning.source === "dps" ? provisioning.attestation : provisioning.authentication;
  const finder = surroundings.routeFinder ?? decidedWays(settings, surroundings);
  const routes = new Routes(finder, log.child("endpoint"));
  const dialer = new WitnessedDialer(
    await createDialer(settings, surroundings),
    async ({ host }, { address, proxy }) => {
      if (proxy === undefined) await finder.verified?.(host, address);
    },
  );
  const prepared = await prepareAssignments(settings, { dialer, routes }, surroundings);
  const hubTransport = surroundings.hubTransport ?? (await mqttHubTransport(settings, dialer, surroundings));
  // Before keys are opened: what cannot work must not have to wait for slow hardware to be told so.
  if (prepared.transport) requireSupportedPair(identity.method, prepared.transport);
  requireSupportedSession(identity.method, hubTransport);

  const open = (): Promise<OpenedIdentity> => openIdentity(settings, identity, surroundings);
  const opened = await (onWaiting === undefined
    ? open()
    : openPatiently({ open, onWaiting, clock, random, log }, options));
  const { attestation, warnings, mcu } = opened;
  for (const warning of unsaid(warnings, said)) log.warn(warning);
  const assignments = prepared.source(attestation);
  return { attestation, routes, assignments, hubTransport, ...(mcu === undefined ? {} : { mcu }) };
}

/** Who the device is, and the MCU that may have a part in that. */
interface OpenedIdentity extends CreatedAttestation {
  readonly mcu: OpenedMcu | undefined;
}

async function openIdentity(
  settings: Settings,
  identity: AttestationSettings,
  surroundings: Surroundings,
): Promise<OpenedIdentity> {
  const { source } = settings.provisioning;
  const { clock } = surroundings;
  const mcu = await configuredMcu(settings, identity, surroundings);
  try {
    return { ...(await createAttestation(identity, { source, clock, mcu })), mcu };
  } catch (error) {
    await mcu?.close();
    throw error;
  }
}

/** What knows about serial lines is loaded where there is one. */
async function configuredMcu(
  { mcu }: Settings,
  identity: AttestationSettings,
  { clock, random, log }: Surroundings,
): Promise<OpenedMcu | undefined> {
  if (mcu === undefined) return undefined;
  const { openMcu } = await import("../keys/mcu/open-mcu.ts");
  return openMcu(mcu, identity, { clock, random, log: log.child("mcu") });
}

/** The configuration's warnings name the setting in front of the same sentence. */
function unsaid(warnings: readonly string[], said: readonly string[]): readonly string[] {
  return warnings.filter((warning) => !said.some((sentence) => sentence.endsWith(warning)));
}

/** Where assignments will come from, as soon as there is an attestation. */
interface PreparedAssignments {
  /** Absent when DPS is not asked. */
  readonly transport?: DpsTransport;
  readonly source: (attestation: Attestation) => AssignmentSource;
}

async function prepareAssignments(
  { provisioning, hub, state }: Settings,
  { dialer, routes }: { readonly dialer: Dialer; readonly routes: Routes },
  surroundings: Surroundings,
): Promise<PreparedAssignments> {
  if (provisioning.source === "manual") return { source: () => new ConfiguredAssignment(provisioning) };
  const { clock, random, log } = surroundings;
  const transport = surroundings.dpsTransport ?? (await dpsTransport(provisioning.transport, dialer, surroundings));
  return {
    transport,
    source: (attestation) =>
      new DpsAssignments({
        settings: provisioning,
        modelId: hub.modelId,
        attestation,
        transport,
        route: (options) => routes.toDps(options),
        store: new AssignmentStore({ directory: state.directory, log }),
        clock,
        random,
        log,
      }),
  };
}

function transportOptions(name: TransportName, dialer: Dialer, { clock, log }: Surroundings): MqttTransportOptions {
  return { dialer, clock, log: log.child(name), carrier: name === "mqtt" ? "tcp" : "websocket" };
}

async function dpsTransport(name: DpsTransportName, dialer: Dialer, surroundings: Surroundings): Promise<DpsTransport> {
  if (name === "https") {
    const { HttpsDpsTransport } = await import("../transport/https/https-dps-transport.ts");
    return new HttpsDpsTransport({ dialer, clock: surroundings.clock });
  }
  const { MqttDpsTransport } = await import("../transport/mqtt/mqtt-dps-transport.ts");
  return new MqttDpsTransport(transportOptions(name, dialer, surroundings));
}

async function mqttHubTransport({ hub }: Settings, dialer: Dialer, surroundings: Surroundings): Promise<HubTransport> {
  const { MqttHubTransport } = await import("../transport/mqtt/mqtt-hub-transport.ts");
  const { keepAliveSeconds, tokenLifetimeMs } = hub;
  return new MqttHubTransport({
    ...transportOptions(hub.transport, dialer, surroundings),
    keepAliveSeconds,
    tokenLifetimeMs,
  });
}
