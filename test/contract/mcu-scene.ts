import type { Clock } from "../../src/clock.ts";
import { isLandfallError } from "../../src/errors.ts";
import { IdentityGroup } from "../../src/serial/groups/identity-group.ts";
import { OsGroup } from "../../src/serial/groups/os-group.ts";
import type { Port } from "../../src/serial/port.ts";
import type { SmpLink } from "../../src/serial/smp-link.ts";
import type { Patience, PatientClient } from "../support/patient-client.ts";

/** An MCU that a test has for itself. */
export interface McuUnderTest {
  readonly port: Port;
  /** What the link to it waits by. Default: the machine's own. */
  readonly clock?: Clock;
  /** How its answers are waited for. Default: as long as they are meant to take, 20 times. */
  readonly patience?: Patience;
  /** Takes power away in the middle of whatever it does, and gives it again. */
  readonly cyclePower?: () => Promise<void>;
  close(): Promise<void>;
}

/** What is known of the MCUs that `open` gives. Parts of the suite that need what is not known are left out. */
export interface McuFacts {
  /** Symmetric key of the identity, base64. */
  readonly symmetricKey?: string;
  /** Certificate of its P-256 key, PEM. */
  readonly certificate?: string;
  /** Whether its flash may be written with images that only simulated boards start, beginning with the factory's. */
  readonly takesTestImages?: boolean;
  readonly cyclesPower?: boolean;
}

/** What one test works with. */
export interface Scene {
  readonly mcu: McuUnderTest;
  readonly link: SmpLink;
  /** Asks over the link. */
  readonly client: PatientClient;
  readonly clock: Clock;
}

/** Resets the MCU and resolves with its new life's number once it is back. The order may get lost, as on any line. */
export async function reset({ client }: Scene): Promise<number | bigint> {
  const identity = new IdentityGroup(client);
  const { boot: before } = await identity.identity();
  for (;;) {
    await new OsGroup(client).reset().catch(passOverSilence);
    const after = await identity.identity().catch(passOverSilence);
    if (after !== undefined && after.boot !== before) return after.boot;
  }
}

function passOverSilence(error: unknown): undefined {
  if (!isLandfallError(error) || error.code !== "smp.timeout") throw error;
}

/** What the MCU refused with, as {group, rc}. */
export async function fault(refused: Promise<unknown>): Promise<unknown> {
  const error = await refused.then(
    () => "it was not refused",
    (reason: unknown) => reason,
  );
  return (error as { fault?: unknown }).fault ?? error;
}
