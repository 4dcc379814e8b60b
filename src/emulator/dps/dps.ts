import type { Clock } from "../../clock.ts";
import type { Logger } from "../../log.ts";
import type { EventLog } from "../event-log.ts";
import { SkewableClock } from "../faults/skewable-clock.ts";
import type { Random } from "../randomness.ts";
import { type Refusal, ServiceModes } from "../service-modes.ts";
import { type LinkedHub, unknownHubs } from "./allocation.ts";
import type { RegistrationRecord } from "./assignments.ts";
import { DpsService } from "./dps-service.ts";
import { Enrollment } from "./enrollment.ts";
import { EnrollmentBook } from "./enrollment-book.ts";
import type { EnrollmentOptions } from "./enrollment-options.ts";
import { DpsFaults } from "./faults.ts";
import { type DpsQuotas, QuotaCounter } from "./quotas.ts";
import { RegistrationDesk } from "./registration-desk.ts";
import { Registrations } from "./registrations.ts";

/** What a {@link Dps} is made with. */
export interface DpsOptions {
  readonly idScope: string;
  readonly hubs: () => readonly LinkedHub[];
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly events: EventLog;
  readonly assigningPolls: number;
  readonly retryAfterSeconds: number;
  /** Absent: none. */
  readonly quotas?: DpsQuotas | undefined;
}

/** The emulated Device Provisioning Service, from the side of its owner: enrollments, registrations, and mischief. */
export class Dps {
  readonly idScope: string;
  /** Scripted answers for requests to come. */
  readonly faults = new DpsFaults();
  /** The device side, which the emulator's front door leads to. */
  readonly service: DpsService;
  /** Where requests end up that came over HTTPS. For the emulator. */
  readonly desk: RegistrationDesk;
  readonly #random: Random;
  readonly #hubs: () => readonly LinkedHub[];
  readonly #log: Logger;
  readonly #book = new EnrollmentBook();
  /** Ill health, for the emulator; switched with {@link refuse} and {@link silent}. */
  readonly modes = new ServiceModes();
  readonly #registrations: Registrations;
  readonly #quotas: QuotaCounter;

  constructor(options: DpsOptions) {
    this.idScope = options.idScope;
    this.#random = options.random;
    this.#hubs = options.hubs;
    const log = options.log.child("dps");
    this.#log = log;
    const clock = new SkewableClock(options.clock);
    this.#registrations = new Registrations({ ...options, clock, log, book: this.#book });
    this.#quotas = new QuotaCounter(options.clock);
    this.#quotas.set(options.quotas);
    this.desk = new RegistrationDesk({
      registrations: this.#registrations,
      faults: this.faults,
      quotas: this.#quotas,
      events: options.events,
      clock,
    });
    this.service = new DpsService({
      desk: this.desk,
      faults: this.faults,
      modes: this.modes,
      events: options.events,
      clock,
      log,
    });
  }

  /**
   * Adds an enrollment, for one device or for a group; keys that are not given are generated and can be read from it.
   * Throws `emulator.rejected`: there is one by that id, the id breaks the rules, or a key or certificate is unusable.
   */
  enroll(options: EnrollmentOptions): Enrollment {
    const enrollment = new Enrollment(options, this.#random);
    this.#book.add(enrollment);
    this.#warnOfUnknownHubs(enrollment);
    return enrollment;
  }

  /** Removes an enrollment; devices that are assigned stay where they are. Returns whether it was there. */
  unenroll(enrollment: Enrollment): boolean {
    return this.#book.remove(enrollment);
  }

  /** All enrollments. */
  get enrollments(): readonly Enrollment[] {
    return this.#book.all;
  }

  /** Every device that has been assigned, and where it is. */
  get registrations(): readonly RegistrationRecord[] {
    return this.#registrations.records;
  }

  /**
   * Answers 429 with a delay beyond these quotas from now on, by the emulator's clock; `{}` for those of the real service,
   * `undefined` for none. Throws `emulator.rejected` for a quota that is no whole number of 1 or more.
   */
  limit(quotas: DpsQuotas | undefined): void {
    this.#quotas.set(quotas);
  }

  /** Turns new clients away: `unavailable` with CONNACK 3 or HTTP 503, `unauthorized` with CONNACK 5 or HTTP 401; `undefined`
   * lets them in again. */
  refuse(refusal: Refusal | undefined): void {
    this.modes.refuse(refusal);
  }

  /** Falls silent, or speaks again: connections stay up, but nothing is read and nothing is answered. */
  silent(silent: boolean): void {
    this.modes.setSilent(silent);
  }

  /** Not refused: an enrollment that allows no hub that exists is how a test gets a registration that fails with 400208. */
  #warnOfUnknownHubs({ id, options }: Enrollment): void {
    const unknown = unknownHubs(this.#hubs(), options);
    if (unknown.length === 0) return;
    const known = this.#hubs().map(({ name }) => name);
    this.#log.warn(
      () => `the enrollment ${id} names ${unknown.join(", ")}; there are only the hubs ${known.join(", ")}`,
    );
  }
}
