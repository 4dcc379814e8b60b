import { describeCause, type LandfallError } from "../errors.ts";
import type { Logger } from "../log.ts";
import type { ConnectCause } from "./connection-machine.ts";
import type { ProvisioningReason } from "./setbacks.ts";

/** An attempt to connect begins. */
export interface Connecting {
  readonly cause: ConnectCause;
}

/** The hub accepted a connection, and the session uses it. */
export interface Connected {
  readonly cause: ConnectCause;
  /** The name of the hub. */
  readonly host: string;
  /** Whether the hub kept the session of an earlier connection. */
  readonly sessionPresent: boolean;
  /** When the connection's credential expires, milliseconds since the epoch; absent for certificates. */
  readonly credentialExpiresAtMs?: number;
}

/** The session lost its connection; planned reconnects are not told as losses unless they fail. */
export interface Disconnected {
  readonly error: Error;
}

/** The next attempt to connect follows after a delay. */
export interface Waiting {
  readonly delayMs: number;
  /** What made the wait necessary. */
  readonly error: Error;
  /** Attempts that failed in a row; 0 after the loss of a connection. */
  readonly failures: number;
}

/** Another client with the same device id most likely keeps taking over the connection. */
export interface Displaced {
  /** `hub.displaced`. */
  readonly error: LandfallError;
  /** Milliseconds until the next attempt. */
  readonly delayMs: number;
}

/**
 * The assignment may have changed: the hub refused the device, or could not be reached many times in a row. The session
 * goes on trying the assignment that it has.
 */
export interface NeedsProvisioning {
  readonly reason: ProvisioningReason;
  readonly error: Error;
  /** Attempts that failed in a row. */
  readonly failures: number;
}

/** What a session tells of its connection: the listeners' arguments, by name of the event. */
export interface ConnectionEvents {
  connecting: [Connecting];
  connected: [Connected];
  /** The connection was replaced ahead of the credential's expiry; follows `connected`. */
  renewed: [Connected];
  disconnected: [Disconnected];
  waiting: [Waiting];
  displaced: [Displaced];
  "needs-provisioning": [NeedsProvisioning];
}

/** One event of {@link ConnectionEvents}. */
export type ConnectionNews = {
  [Name in keyof ConnectionEvents]: { readonly name: Name; readonly about: ConnectionEvents[Name][0] };
}[keyof ConnectionEvents];

/** Writes `news` for people. */
export function logNews(log: Logger, news: ConnectionNews): void {
  switch (news.name) {
    case "connecting":
      log.debug("connecting to the hub", { ...news.about });
      break;
    case "connected":
      log.info("connected to the hub", { ...news.about });
      break;
    case "renewed":
      log.debug("renewed the credential of the connection");
      break;
    case "disconnected":
      log.warn(`lost the connection to the hub: ${describeCause(news.about.error)}`);
      break;
    case "waiting": {
      const { delayMs, error } = news.about;
      log.info(`connecting again in ${(delayMs / 1000).toFixed(1)} s: ${describeCause(error)}`);
      break;
    }
    case "displaced":
      log.error(`${news.about.error.message}. ${news.about.error.remedy}`);
      break;
    case "needs-provisioning": {
      const { reason, failures, error } = news.about;
      const verdict =
        reason === "refused" ? "the hub refused this device" : `the hub was unreachable ${failures} times`;
      log.warn(`${verdict}, the assignment may be out of date: ${describeCause(error)}`, { error });
      break;
    }
  }
}
