import type { RawTable } from "../../../config/fault.ts";
import type { Emulator } from "../../../emulator/index.ts";

/** Whom an identity is made for, and where it may put what it needs. */
export interface NewDevice {
  readonly emulator: Emulator;
  readonly registrationId: string;
  /** The device's own folder; removed afterwards by the caller. */
  readonly directory: string;
  readonly signal: AbortSignal;
}

/** What a device of the demo proves itself with; DPS has it enrolled. */
export interface Identity extends AsyncDisposable {
  /** What it is and where its secret lives, in one line. */
  readonly told: string;
  /** Settings of `[provisioning]`, by the names of the file. */
  readonly provisioning: RawTable;
  /** Variables that the agent needs beside those of this process. */
  readonly env: NodeJS.ProcessEnv;
  /** What the hub has to see when the device comes. */
  readonly credential: "certificate" | "sas";
  /** How the device proves itself to the hub, to go on after "connected". */
  readonly proof: string;
}

/** One way to prove an identity that the demo can show. */
export interface IdentityKind {
  /**
   * Whether this machine has what it takes. Rejects with `key.program-missing`, `key.engine-missing` or
   * `key.module-unusable`, whose text names the Debian package.
   */
  readonly require: () => Promise<void>;
  /** Makes the identity and enrolls it. Rejects with `cli.demo-incomplete`, `key.*`, `tpm.*` or `signal.reason`. */
  readonly make: (device: NewDevice) => Promise<Identity>;
}
