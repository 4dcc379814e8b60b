import type { Assignment } from "../provisioning/assignment.ts";
import type { CallOptions } from "../transport/transport.ts";

/** Where an agent's assignment comes from. */
export interface AssignmentSource {
  /** An assignment that needs no asking: given by hand, or stored by an earlier start. */
  known(): Promise<KnownAssignment | undefined>;
  /** Whether asking can bring anything new. */
  readonly asksService: boolean;
  /** Asks the service for the present assignment, and stores it. Rejects as `register` does. */
  ask(options?: AskOptions): Promise<Assignment>;
  /** Resolves when no connection of an {@link ask} that is over is open any longer. Never rejects. */
  whenLeft(): Promise<void>;
}

/** How {@link AssignmentSource.ask} is called. */
export interface AskOptions extends CallOptions {
  /** Told why an assignment that the service gave could not be stored; it can be used all the same. */
  readonly onNotStored?: (error: Error) => void;
}

/** An assignment that needs no asking. */
export interface KnownAssignment {
  readonly assignment: Assignment;
  readonly origin: "stored" | "configured";
}
