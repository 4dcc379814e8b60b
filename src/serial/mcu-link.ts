import type { EventEmitter } from "node:events";
import type { LandfallError } from "../errors.ts";
import type { SmpCallOptions, SmpClient, SmpPushHandler } from "./smp-client.ts";

/** What a link to an MCU tells of itself. */
export interface McuLinkEvents {
  /** The port is open, for the first time or again. */
  up: [];
  /** The port went away, or could not be opened; the link keeps trying. */
  down: [error: LandfallError];
  /** A line of text that the MCU printed beside its packets. */
  text: [line: string];
}

/** A link to an MCU: requests of ours one way, requests of its own the other, over a port that may come and go. */
export interface McuLink extends SmpClient, EventEmitter<McuLinkEvents>, AsyncDisposable {
  /** Name of the port. */
  readonly portName: string;
  /** Whether the port is open. */
  readonly isUp: boolean;
  /** Why the port is away; undefined while it is open, and before it has failed once. */
  readonly lastFailure: LandfallError | undefined;
  /** Resolves while the port is open, or once it is. Rejects with `serial.closed`. */
  connected(options?: SmpCallOptions): Promise<void>;
  /** Has `handler` answer what the MCU asks in a group, in place of whoever did before, until the returned function is called. */
  serve(group: number, handler: SmpPushHandler): () => void;
  /** Lets go of the port; requests that wait reject with `serial.closed`. Idempotent. */
  close(): Promise<void>;
}
