import { readFile } from "node:fs/promises";
import { release } from "node:os";
import { join } from "node:path";
import { describeSettings } from "../config/describe.ts";
import type { Settings } from "../config/settings.ts";
import { azureHost } from "../endpoint/clouds.ts";
import { readHosts } from "../endpoint/evidence-sources.ts";
import { memoryFile, NetworkMemoryStore } from "../endpoint/network-memory-store.ts";
import { resolvConfFile, upstreamFile } from "../endpoint/resolv-conf.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../json.ts";
import { AssignmentStore, type StoredAssignment } from "../provisioning/assignment-store.ts";
import { StateFile } from "../state-file.ts";
import { identityOf } from "./identity.ts";
import { redact, secretsIn } from "./redact.ts";
import type { DoctorReport } from "./report.ts";

/**
 * Everything that somebody who helps from afar asks for, schema `landfall.bundle/1`. Secrets are not in it, ids of the device are
 * shortened, and neither payloads nor the arguments of commands are.
 * @param settings absent when the configuration is not valid
 */
export async function supportBundle(report: DoctorReport, settings: Settings | undefined): Promise<JsonObject> {
  const stored = settings === undefined ? undefined : await storedIn(settings.state.directory);
  const bundle = {
    schema: "landfall.bundle/1",
    createdAt: report.startedAt,
    versions: {
      landfall: report.version,
      node: process.version,
      openssl: process.versions.openssl,
      system: `${process.platform} ${process.arch} ${release()}`,
    },
    report: report as unknown as JsonValue,
    configuration: settings === undefined ? null : configurationOf(settings),
    resolver: await texts([resolvConfFile, upstreamFile]),
    hosts: settings === undefined ? [] : await azureLines(settings.network.hostsFile),
    networkMemory: settings === undefined ? null : await memoryIn(settings.state.directory),
    assignment: stored === undefined ? null : assignmentOf(stored),
  };
  const redacted = redact(bundle, { ids: idsOf(report, settings, stored), secrets: secretsIn(settings) });
  return redacted as JsonObject;
}

/** Payloads and arguments are the owner's; nobody can tell what stands in them. */
function configurationOf(settings: Settings): JsonObject {
  const { provisioning, methods, ...rest } = describeSettings(settings);
  const { payload, ...kept } = isJsonObject(provisioning) ? provisioning : {};
  return {
    ...rest,
    provisioning: { ...kept, ...(payload === undefined ? {} : { payload: "[left out]" }) },
    methods: Object.fromEntries(
      Object.entries(isJsonObject(methods) ? methods : {}).map(([name, method]) => [name, programOf(method)]),
    ),
  };
}

function programOf(method: JsonValue): JsonValue {
  if (!isJsonObject(method) || !Array.isArray(method.command)) return null;
  const [program = "", ...rest] = method.command as readonly string[];
  return { ...method, command: rest.length === 0 ? [program] : [program, `[${rest.length} left out]`] };
}

async function texts(paths: readonly string[]): Promise<JsonObject> {
  const found = await Promise.all(paths.map(async (path) => [path, await readFile(path, "utf8").catch(() => null)]));
  return Object.fromEntries(found) as JsonObject;
}

async function azureLines(file: string): Promise<string[]> {
  const entries = await readHosts(file);
  return entries
    .filter(({ name }) => azureHost(name) !== undefined)
    .map(({ line, address, name }) => `${file}:${line}: ${address} ${name}`);
}

async function memoryIn(directory: string): Promise<JsonValue> {
  const memory = await new NetworkMemoryStore(new StateFile(join(directory, memoryFile))).load();
  return memory as unknown as JsonValue;
}

async function storedIn(directory: string): Promise<StoredAssignment | undefined> {
  return new AssignmentStore({ directory }).inspect().catch(() => undefined);
}

function assignmentOf(stored: StoredAssignment): JsonObject {
  if (stored.state !== "stored") return { state: stored.state };
  const { assignedHub, deviceId, substatus = null } = stored.assignment;
  const { idScope, registrationId, endpoint } = stored.binding;
  return { state: "stored", binding: { idScope, registrationId, endpoint }, assignedHub, deviceId, substatus };
}

function idsOf(report: DoctorReport, settings: Settings | undefined, stored: StoredAssignment | undefined): string[] {
  const named = report.checks.find(({ id }) => id === "credential.name")?.data.id;
  const ids = [
    typeof named === "string" ? named : undefined,
    settings === undefined ? undefined : identityOf(settings).registrationId,
    settings?.provisioning.source === "manual" ? settings.provisioning.deviceId : undefined,
    ...(stored?.state === "stored" ? [stored.binding.registrationId, stored.assignment.deviceId] : []),
  ];
  return [...new Set(ids.filter((id) => id !== undefined))];
}
