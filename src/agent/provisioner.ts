import { untilAborted } from "../abort.ts";
import { Backoff } from "../backoff.ts";
import type { Clock } from "../clock.ts";
import { describeCause, isLandfallError, mayPass } from "../errors.ts";
import type { Logger } from "../log.ts";
import type { Assignment } from "../provisioning/assignment.ts";
import type { AssignmentSource } from "./assignment-source.ts";
import type { AssignmentOrigin, ProvisioningReason, Tell } from "./events.ts";

/** Parts of a {@link Provisioner}. */
export interface ProvisionerParts {
  readonly source: AssignmentSource;
  readonly registrationId: string;
  /** Goes to work with an assignment. A rejection counts as a failure of the round that brought it. */
  readonly adopt: (assignment: Assignment, origin: AssignmentOrigin) => Promise<void>;
  readonly tell: Tell;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
}

/** Between two rounds; the first delay is at most `baseMs`, every delay at most `capMs`. */
const pace = { baseMs: 5000, capMs: 600_000 };

/**
 * Sees to it that an agent has an assignment. One round with DPS at a time, whoever wants it; and only a hub that accepts
 * the device makes the delays between rounds short again, so that a hub that goes on refusing does not make this device
 * hammer DPS.
 */
export class Provisioner {
  readonly #parts: ProvisionerParts;
  readonly #pace: Backoff;
  readonly #life = new AbortController();
  #round: Promise<Assignment> | undefined;
  /** Whether the round under way waits for what passes by itself. */
  #patient = false;
  #mayAskAtMs = Number.NEGATIVE_INFINITY;
  #assigned = false;
  #lastFailure: Error | undefined;

  constructor(parts: ProvisionerParts) {
    this.#parts = parts;
    this.#pace = new Backoff({ ...pace, random: parts.random });
  }

  /**
   * Finds the assignment to begin with: the known one, else the one that DPS gives, however long that takes.
   * Rejects with what somebody has to mend first, and with the reason of {@link close}.
   * @param askFirst ask DPS although an assignment is known; should that fail, the known one is good enough
   */
  async begin({ askFirst }: { readonly askFirst: boolean }): Promise<void> {
    const known = await this.#parts.source.known();
    this.#life.signal.throwIfAborted();
    // Somebody may have asked before the agent was started.
    if (this.#assigned) return;
    if (known === undefined) {
      await this.ask("first-time", { patient: true });
      return;
    }
    if (askFirst) await this.#try("startup");
    if (!this.#assigned) await this.#adopt(known.assignment, known.origin);
  }

  /**
   * Asks DPS now; or joins the round that is under way. Rejects with what DPS or the way to it came to, and with the
   * reason of {@link close}.
   * @param patient wait for what passes by itself, and ask again
   */
  ask(reason: ProvisioningReason, { patient = false }: { readonly patient?: boolean } = {}): Promise<Assignment> {
    const { source } = this.#parts;
    if (!source.asksService) return source.ask();
    this.#patient ||= patient;
    this.#round ??= this.#askUntilAssigned(reason).finally(() => {
      this.#round = undefined;
      this.#patient = false;
    });
    return this.#round;
  }

  /** The hub does not take the device. Asks DPS, unless that happened a short while ago. Never rejects. */
  async askAgain(reason: ProvisioningReason): Promise<void> {
    if (this.#round || this.#parts.clock.elapsed() < this.#mayAskAtMs) return;
    await this.#try(reason);
  }

  /** What DPS, or the way to it, came to when it was last asked; `undefined` once it has assigned a hub. */
  get lastFailure(): Error | undefined {
    return this.#lastFailure;
  }

  /** The hub took the device: the assignment is good. */
  confirm(): void {
    this.#lastFailure = undefined;
    this.#pace.reset();
    this.#mayAskAtMs = Number.NEGATIVE_INFINITY;
  }

  /** Ends the round under way, which rejects with `reason`, and resolves when nothing of it is left. Idempotent. */
  async close(reason: unknown): Promise<void> {
    this.#life.abort(reason);
    await this.#round?.catch(() => {});
    await this.#parts.source.whenLeft();
  }

  /** Never rejects: what is there serves on. */
  async #try(reason: ProvisioningReason): Promise<void> {
    try {
      await this.ask(reason);
    } catch (error) {
      if (this.#life.signal.aborted) return;
      this.#parts.log.warn(`keeping the assignment that there is: ${describeCause(error)}`);
    }
  }

  async #askUntilAssigned(reason: ProvisioningReason): Promise<Assignment> {
    const { clock, log, tell } = this.#parts;
    const { signal } = this.#life;
    for (;;) {
      try {
        return await this.#askOnce(reason);
      } catch (error) {
        signal.throwIfAborted();
        const delayMs = this.#delayNext(error);
        const waits = this.#patient && mayPass(error);
        const about = error instanceof Error ? error : new Error(describeCause(error));
        this.#lastFailure = about;
        tell("provisioning-failed", { error: about, ...(waits ? { retryInMs: delayMs } : {}) });
        if (!waits) throw error;
        log.warn(`provisioning failed, next attempt in ${(delayMs / 1000).toFixed(1)} s: ${describeCause(error)}`);
        await clock.sleep(delayMs, { signal });
      }
    }
  }

  async #askOnce(reason: ProvisioningReason): Promise<Assignment> {
    const { source, registrationId, log, tell } = this.#parts;
    const { signal } = this.#life;
    signal.throwIfAborted();
    log.info("asking DPS for an assignment", { reason, registrationId });
    tell("provisioning", { reason, registrationId });
    const assignment = await source.ask({ signal });
    this.#lastFailure = undefined;
    this.#delayNext(undefined);
    // A key that comes with it may be under way into slow hardware.
    await untilAborted(this.#adopt(assignment, "provisioned"), signal);
    return assignment;
  }

  async #adopt(assignment: Assignment, origin: AssignmentOrigin): Promise<void> {
    await this.#parts.adopt(assignment, origin);
    this.#assigned = true;
  }

  /** What the service named is the least; the jitter on top spreads a fleet that was sent away at one moment. */
  #delayNext(error: unknown): number {
    const namedMs = (isLandfallError(error) && error.retryAfterMs) || 0;
    const delayMs = namedMs + this.#pace.next();
    this.#mayAskAtMs = this.#parts.clock.elapsed() + delayMs;
    return delayMs;
  }
}
