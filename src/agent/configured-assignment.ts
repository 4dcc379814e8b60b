import type { ManualSettings } from "../config/settings.ts";
import type { Assignment } from "../provisioning/assignment.ts";
import type { AssignmentSource, KnownAssignment } from "./assignment-source.ts";

/** `source = "manual"`: hub and device id are in the configuration, and nobody is asked. */
export class ConfiguredAssignment implements AssignmentSource {
  readonly asksService = false;
  readonly #known: KnownAssignment;

  constructor({ iothubHostname, deviceId }: ManualSettings) {
    this.#known = { assignment: { assignedHub: iothubHostname, deviceId }, origin: "configured" };
  }

  async known(): Promise<KnownAssignment> {
    return this.#known;
  }

  async ask(): Promise<Assignment> {
    return this.#known.assignment;
  }

  async whenLeft(): Promise<void> {}
}
