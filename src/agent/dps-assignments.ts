import { untilAborted } from "../abort.ts";
import type { Attestation } from "../attestation/attestation.ts";
import type { Clock } from "../clock.ts";
import type { DpsSettings } from "../config/settings.ts";
import { describeCause } from "../errors.ts";
import type { Logger } from "../log.ts";
import type { Assignment } from "../provisioning/assignment.ts";
import type { AssignmentBinding, AssignmentStore } from "../provisioning/assignment-store.ts";
import { register } from "../provisioning/register.ts";
import type { CallOptions, DpsTransport, Route } from "../transport/transport.ts";
import type { AskOptions, AssignmentSource, KnownAssignment } from "./assignment-source.ts";

/** Parts of {@link DpsAssignments}. */
export interface DpsAssignmentsParts {
  readonly settings: DpsSettings;
  readonly modelId: string | undefined;
  readonly attestation: Attestation;
  readonly transport: DpsTransport;
  /** Finds the way to DPS; asked anew for every registration. */
  readonly route: (options: CallOptions) => Promise<Route>;
  readonly store: AssignmentStore;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
}

/** `source = "dps"`: assignments come from the Device Provisioning Service, and the latest one is stored. */
export class DpsAssignments implements AssignmentSource {
  readonly asksService = true;
  readonly #parts: DpsAssignmentsParts;
  readonly #binding: AssignmentBinding;
  #leaving: Promise<void> = Promise.resolve();

  constructor(parts: DpsAssignmentsParts) {
    const { settings, attestation } = parts;
    this.#parts = parts;
    this.#binding = {
      idScope: settings.idScope,
      registrationId: attestation.registrationId,
      endpoint: settings.endpoint.endpoint,
    };
  }

  async known(): Promise<KnownAssignment | undefined> {
    const { store, log } = this.#parts;
    try {
      const assignment = await store.read(this.#binding);
      return assignment && { assignment, origin: "stored" };
    } catch (error) {
      // Neither may a state directory of somebody else keep a device off its hub.
      log.warn(`the stored assignment cannot be used: ${describeCause(error)}`, { error });
      return undefined;
    }
  }

  async ask({ onNotStored, ...options }: AskOptions = {}): Promise<Assignment> {
    const { settings, store, route, ...parts } = this.#parts;
    const { idScope, payload, timeoutMs } = settings;
    // DPS keeps one connection for each device; the old one goes first.
    await untilAborted(this.#leaving, options.signal);
    const onLeaving = (left: Promise<void>): void => {
      this.#leaving = left;
    };
    const registration = { ...parts, route: await route(options), idScope, payload, timeoutMs, onLeaving };
    const assignment = await register(registration, options);
    try {
      await store.write(this.#binding, assignment);
    } catch (error) {
      // A full or read-only disk must not keep a device off its hub; it will ask DPS again at the next start.
      parts.log.warn(`the assignment could not be stored: ${describeCause(error)}`, { error });
      onNotStored?.(error as Error);
    }
    return assignment;
  }

  whenLeft(): Promise<void> {
    return this.#leaving;
  }
}
