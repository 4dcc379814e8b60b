import type { EmulatorOptions } from "../../src/emulator/index.ts";
import type { Scene } from "./scene.ts";

/** Something that users do with the SDK, and how to see that it worked. */
export interface Flow {
  readonly title: string;
  /** Whether the SDK needs real names for this whatever the transport. Default false. */
  readonly needsRealNames?: boolean;
  readonly emulator?: EmulatorOptions;
  /** Rejects when it did not work, with {@link NotSupported} when that is the client's own doing. */
  run(scene: Scene): Promise<void>;
}

/** Says that a client cannot do something, whatever the service. */
export class NotSupported extends Error {
  override readonly name = "NotSupported";
}
