import type { EmulatorOptions } from "../../src/emulator/index.ts";
import type { Swtpm } from "../support/swtpm.ts";
import type { Scene } from "./scene.ts";

/** Something that users do with the SDK, and how to see that it worked. */
export interface Flow {
  readonly title: string;
  /** Whether the SDK needs real names for this whatever the transport. Default false. */
  readonly needsRealNames?: boolean;
  /** Whether it takes a TPM. Default false. */
  readonly needsTpm?: boolean;
  readonly emulator?: EmulatorOptions;
  /**
   * Rejects when it did not work, with {@link NotSupported} when that is the client's own doing.
   * @param tpm there where it is needed; over a Unix socket, which reaches into a private world
   */
  run(scene: Scene, tpm: Swtpm | undefined): Promise<void>;
}

/** Says that a client cannot do something, whatever the service. */
export class NotSupported extends Error {
  override readonly name = "NotSupported";
}
