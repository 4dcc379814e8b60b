import { LandfallError } from "../../errors.ts";
import type { Enrollment } from "./enrollment.ts";

/** All enrollments of one DPS. Registration ids are compared without regard to case. */
export class EnrollmentBook {
  readonly #individuals = new Map<string, Enrollment>();
  readonly #groups = new Map<string, Enrollment>();

  /** Throws `emulator.rejected` when there is one by that id already. */
  add(enrollment: Enrollment): void {
    const [shelf, key] = this.#place(enrollment);
    if (shelf.has(key)) {
      throw new LandfallError("emulator.rejected", `There is an enrollment ${enrollment.id} already.`);
    }
    shelf.set(key, enrollment);
  }

  /** Returns whether it was there. */
  remove(enrollment: Enrollment): boolean {
    const [shelf, key] = this.#place(enrollment);
    return shelf.get(key) === enrollment && shelf.delete(key);
  }

  individual(registrationId: string): Enrollment | undefined {
    return this.#individuals.get(registrationId.toLowerCase());
  }

  /** The groups that are attested in one way, in the order in which they were added. */
  groups(method: Enrollment["attestation"]["method"]): readonly Enrollment[] {
    return [...this.#groups.values()].filter(({ attestation }) => attestation.method === method);
  }

  get all(): readonly Enrollment[] {
    return [...this.#individuals.values(), ...this.#groups.values()];
  }

  #place({ kind, id }: Enrollment): [Map<string, Enrollment>, string] {
    return kind === "individual" ? [this.#individuals, id.toLowerCase()] : [this.#groups, id];
  }
}
