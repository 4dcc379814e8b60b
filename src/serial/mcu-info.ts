import { CommandsGroup } from "./groups/commands-group.ts";
import { IdentityGroup, type McuIdentity } from "./groups/identity-group.ts";
import { ImageGroup, type ImageSlot } from "./groups/image-group.ts";
import { OsGroup } from "./groups/os-group.ts";
import { ifTold } from "./if-told.ts";
import type { SmpCallOptions, SmpClient } from "./smp-client.ts";

/** What an MCU tells of itself; what its firmware does not know is absent. */
export interface McuInfo {
  readonly identity: McuIdentity | undefined;
  /** The board's name. */
  readonly board: string | undefined;
  /** Operating system and version. */
  readonly system: string | undefined;
  readonly slots: readonly ImageSlot[] | undefined;
  /** Names of commands. */
  readonly commands: readonly string[] | undefined;
  /** Longest packet that it takes, in bytes. */
  readonly packetBytes: number;
}

/** Asks an MCU for all that it tells of itself. Rejects when it does not answer at all. */
export async function readMcuInfo(client: SmpClient, options: SmpCallOptions = {}): Promise<McuInfo> {
  const os = new OsGroup(client);
  return {
    packetBytes: await client.packetBytes(options),
    identity: await ifTold(new IdentityGroup(client).identity(options)),
    board: await ifTold(os.info("i", options)),
    system: await ifTold(os.info("s", options)),
    slots: await ifTold(new ImageGroup(client).slots(options)),
    commands: await ifTold(new CommandsGroup(client).names(options)),
  };
}
