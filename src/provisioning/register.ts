import { untilAborted } from "../abort.ts";
import type { Attestation } from "../attestation/attestation.ts";
import type { Clock } from "../clock.ts";
import { isLandfallError, LandfallError } from "../errors.ts";
import type { JsonObject } from "../json.ts";
import type { Credential } from "../keys/credential.ts";
import type { Logger } from "../log.ts";
import type { CallOptions, DpsChannel, DpsTransport, Route } from "../transport/transport.ts";
import type { Assignment } from "./assignment.ts";
import { next, type RegistrationEffect, type RegistrationInput } from "./machine.ts";
import { requireSupportedPair } from "./supported-pair.ts";
import { registrationBody } from "./wire.ts";

/** Everything one registration needs. Nothing of it is closed: the attestation goes on to serve the hub. */
export interface Registration {
  readonly transport: DpsTransport;
  /** Where DPS is. */
  readonly route: Route;
  readonly idScope: string;
  readonly attestation: Attestation;
  /** Sent along for custom allocation. */
  readonly payload?: JsonObject | undefined;
  /** Plug and Play model id (`dtmi:…`), announced inside the payload. */
  readonly modelId?: string | undefined;
  /** Longest time for all of it, in milliseconds. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  /** Uniform random numbers in [0, 1). */
  readonly random: () => number;
  readonly log: Logger;
  /**
   * Given the end of the connection as soon as DPS has assigned a hub: the way to the hub need not wait a round trip for
   * DPS to hang up. The promise never rejects. Default: {@link register} waits for it.
   */
  readonly onLeaving?: (left: Promise<void>) => void;
}

/**
 * Registers with DPS and resolves with the hub that it assigns. Gets over what passes by itself (throttling, service
 * errors, lost connections) until the time is up.
 *
 * Rejects with `attestation.unsupported-pair` before anything is dialled, with `provisioning.*` and what the service
 * told, with `transport.*`, `endpoint.*`, `key.*` or `attestation.*` when no attempt got as far as an answer, or with
 * `signal.reason` as soon as the signal aborts. No connection stays open, but for {@link Registration.onLeaving}.
 */
export async function register(registration: Registration, { signal }: CallOptions = {}): Promise<Assignment> {
  signal?.throwIfAborted();
  const { attestation, transport, clock, random, timeoutMs } = registration;
  requireSupportedPair(attestation.method, transport);
  const moment = () => ({ atMs: clock.elapsed(), draw: random() });

  await using deadline = new Deadline(clock, timeoutMs);
  await using runner = new Runner(registration);
  const either = signal === undefined ? deadline.signal : AbortSignal.any([signal, deadline.signal]);
  let step = next({ kind: "idle" }, { kind: "started", timeoutMs, ...moment() });
  while (step !== undefined) {
    const { state, effect } = step;
    if (effect.kind === "finish") {
      registration.onLeaving?.(runner[Symbol.asyncDispose]());
      return runner.finish(effect.assignment);
    }
    if (effect.kind === "fail") throw effect.error;
    let outcome: Outcome;
    try {
      outcome = await runner.carryOut(effect, either);
    } catch (error) {
      signal?.throwIfAborted();
      if (deadline.signal.aborted) outcome = { kind: "deadline" };
      else if (isLandfallError(error)) outcome = { kind: "faulted", error };
      else throw error;
    }
    step = next(state, { ...outcome, ...moment() });
  }
  throw new Error("the registration machine does not know the outcome of its own effect");
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;
type Outcome = DistributiveOmit<RegistrationInput, "atMs" | "draw">;

/** Aborts when the time is up, unless it is disposed of before. */
class Deadline implements AsyncDisposable {
  readonly #expired = new AbortController();
  readonly #released = new AbortController();
  readonly #timer: Promise<void>;

  constructor(clock: Clock, timeoutMs: number) {
    this.#timer = clock.sleep(timeoutMs, { signal: this.#released.signal }).then(
      () => this.#expired.abort(),
      () => {},
    );
  }

  get signal(): AbortSignal {
    return this.#expired.signal;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#released.abort();
    await this.#timer;
  }
}

/** Does what the machine says; holds the one channel there is and the newest credential. */
class Runner implements AsyncDisposable {
  readonly #registration: Registration;
  readonly #log: Logger;
  #channel: DpsChannel | undefined;
  #credential: Credential | undefined;
  #body: JsonObject | undefined;

  constructor(registration: Registration) {
    this.#registration = registration;
    this.#log = registration.log.child("provisioning");
  }

  /** Resolves with the input that answers the effect; rejects when it could not be carried out. */
  async carryOut(
    effect: Exclude<RegistrationEffect, { kind: "finish" | "fail" }>,
    signal: AbortSignal,
  ): Promise<Outcome> {
    switch (effect.kind) {
      case "connect":
        if (effect.anew) this.#forget();
        return this.#connect(signal);
      case "send-register":
        this.#body ??= await this.#composeBody(signal);
        return {
          kind: "answered",
          response: await this.#open.request({ kind: "register", body: this.#body }, { signal }),
        };
      case "send-status": {
        const { operationId } = effect;
        return { kind: "answered", response: await this.#open.request({ kind: "status", operationId }, { signal }) };
      }
      case "answer-challenge":
        return this.#answerChallenge(effect.blob, signal);
      case "wait":
        if (effect.after) this.#log.warn("trying again", { afterMs: Math.ceil(effect.ms), error: effect.after });
        else this.#log.debug("registration is under way", { nextPollMs: Math.ceil(effect.ms) });
        await this.#registration.clock.sleep(effect.ms, { signal });
        return { kind: "woke" };
    }
  }

  finish(assignment: Assignment): Assignment {
    const { assignedHub, deviceId, substatus } = assignment;
    this.#log.info("DPS assigned a hub", { assignedHub, deviceId, ...(substatus === undefined ? {} : { substatus }) });
    return assignment;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const channel = this.#channel;
    this.#channel = undefined;
    try {
      await channel?.close();
    } catch (error) {
      this.#log.debug("a connection to DPS did not close well", { error });
    }
  }

  get #open(): DpsChannel {
    if (this.#channel === undefined) throw new LandfallError("transport.closed", "there is no connection to DPS");
    return this.#channel;
  }

  /** A TPM that was cleared meanwhile has another storage root key. */
  #forget(): void {
    this.#credential = undefined;
    this.#body = undefined;
  }

  async #connect(signal: AbortSignal): Promise<Outcome> {
    const { transport, route, idScope, attestation } = this.#registration;
    await this[Symbol.asyncDispose]();
    this.#credential ??= await untilAborted(attestation.credential({ signal }), signal);
    const { registrationId } = attestation;
    const identity = { idScope, registrationId, credential: this.#credential };
    this.#log.debug("connecting to DPS", { host: route.host, transport: transport.name, registrationId });
    this.#channel = await transport.connect(route, identity, { signal });
    return { kind: "connected" };
  }

  async #composeBody(signal: AbortSignal): Promise<JsonObject> {
    const { attestation, payload, modelId } = this.#registration;
    const evidence = await untilAborted(attestation.evidence({ signal }), signal);
    return registrationBody({ registrationId: attestation.registrationId, evidence, payload, modelId });
  }

  async #answerChallenge(blob: Uint8Array, signal: AbortSignal): Promise<Outcome> {
    const { attestation } = this.#registration;
    if (attestation.answer === undefined) {
      throw new LandfallError(
        "attestation.unexpected-challenge",
        `DPS sent a TPM challenge, but this device attests with "${attestation.method}"`,
      );
    }
    this.#credential = await untilAborted(attestation.answer(blob, { signal }), signal);
    return { kind: "challenge-answered" };
  }
}
