import type { Clock } from "../../clock.ts";
import { thumbprintsOf } from "../certificate-chain.ts";
import type { DeviceAuthentication } from "../hub/device.ts";
import type { Twin } from "../hub/twin.ts";
import { bytesFrom, type Random } from "../randomness.ts";
import { chooseHub, type LinkedHub } from "./allocation.ts";
import type { CustomAllocation } from "./custom-allocation.ts";
import type { Enrollment } from "./enrollment.ts";
import { newTpmKey } from "./tpm/tpm-challenges.ts";
import type { ProvenIdentity } from "./verdict.ts";

/** What DPS remembers of a device that it has assigned. */
export interface RegistrationRecord {
  readonly registrationId: string;
  /** Name of the hub. */
  readonly hub: string;
  readonly deviceId: string;
  readonly substatus: "initialAssignment" | "deviceDataMigrated" | "deviceDataReset";
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  readonly etag: string;
}

/** A device at its hub. */
export interface Assigned {
  readonly record: RegistrationRecord;
  readonly hub: LinkedHub;
  /** How the hub knows the device. */
  readonly authentication: DeviceAuthentication;
}

/** What {@link Assignments} works with. */
export interface AssignmentsParts {
  /** The hubs that can be assigned, in the order in which they were named. */
  readonly hubs: () => readonly LinkedHub[];
  readonly clock: Clock;
  readonly random: Random;
}

/** Which device is at which hub. Registration ids are compared without regard to case. */
export class Assignments {
  readonly #parts: AssignmentsParts;
  readonly #records = new Map<string, RegistrationRecord>();

  constructor(parts: AssignmentsParts) {
    this.#parts = parts;
  }

  get records(): readonly RegistrationRecord[] {
    return [...this.#records.values()];
  }

  /** Name of the hub that a device is at; `undefined` when it is at none. */
  hubOf(registrationId: string): string | undefined {
    return this.#records.get(registrationId.toLowerCase())?.hub;
  }

  /**
   * Chooses a hub for a device and writes it there; where it has to move, its old hub forgets it.
   * `undefined` when the enrollment allows no hub that exists, or not the one that was decided on.
   * @param custom what a custom allocation has decided
   */
  assign(
    enrollment: Enrollment,
    identity: ProvenIdentity,
    registrationId: string,
    custom?: CustomAllocation,
  ): Assigned | undefined {
    const { clock, random } = this.#parts;
    const before = this.#records.get(registrationId.toLowerCase());
    const hub = chooseHub(this.#parts.hubs(), enrollment.options, registrationId, before, custom?.hub);
    if (hub === undefined) return undefined;
    const { reprovisioning = "migrate", initialTwin } = enrollment.options;
    const stays = before !== undefined && reprovisioning === "never";
    const wanted = enrollment.deviceIdOf(registrationId);
    // A hub tells upper case from lower: a registration id in another case must not make a second device of one.
    const keepsId = stays || before?.deviceId.toLowerCase() === wanted.toLowerCase();
    const deviceId = keepsId ? before.deviceId : wanted;
    const moves = before !== undefined && before.hub !== hub.name;
    const keptTwin = this.#leave(moves ? before : undefined, reprovisioning === "reset");
    const twin = keptTwin ?? custom?.initialTwin ?? initialTwin;
    const authentication = authenticationFor(identity, random);
    hub.registry.put({ deviceId, authentication, twin });
    const moved = reprovisioning === "reset" ? "deviceDataReset" : "deviceDataMigrated";
    const record: RegistrationRecord = {
      registrationId,
      hub: hub.name,
      deviceId,
      substatus: moves ? moved : (before?.substatus ?? "initialAssignment"),
      createdAtMs: before?.createdAtMs ?? clock.now(),
      updatedAtMs: clock.now(),
      etag: Buffer.from(bytesFrom(random, 12).toString("hex")).toString("base64"),
    };
    this.#records.set(registrationId.toLowerCase(), record);
    return { record, hub, authentication };
  }

  /** Removes a device from the hub it has to leave, if there is one; returns its twin unless it starts over. */
  #leave(left: RegistrationRecord | undefined, startsOver: boolean): Twin | undefined {
    if (left === undefined) return undefined;
    const hub = this.#parts.hubs().find(({ name }) => name === left.hub);
    const device = hub?.registry.remove(left.deviceId);
    return startsOver ? undefined : device?.twin;
  }
}

/** A TPM gets a new key with every registration. */
function authenticationFor(identity: ProvenIdentity, random: Random): DeviceAuthentication {
  switch (identity.method) {
    case "symmetric_key": {
      const { primaryKey, secondaryKey } = identity;
      return { kind: "symmetric_key", primaryKey, secondaryKey };
    }
    case "x509":
      return { kind: "x509", thumbprints: [thumbprintsOf(identity.leaf).sha256] };
    case "tpm": {
      const [primaryKey, secondaryKey] = [newTpmKey(random).toString("base64"), newTpmKey(random).toString("base64")];
      return { kind: "symmetric_key", primaryKey, secondaryKey };
    }
  }
}
