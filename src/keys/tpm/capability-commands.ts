import { commandCode } from "./constants.ts";
import { uint32 } from "./structure.ts";
import type { TpmCommand } from "./tpm-command.ts";
import type { TpmReader } from "./tpm-reader.ts";

const capability = { handles: 1, properties: 6 } as const;

/** TPM_PT_INPUT_BUFFER: the most bytes that one command takes to be hashed or signed. */
export const inputBufferProperty = 0x10d;

/** Up to `count` handles that are in use, from `first` on; its top byte says which type. */
export function readHandles(first: number, count = 64): TpmCommand<readonly number[]> {
  return getCapability(capability.handles, first, count, (reader) => reader.uint32());
}

/** A property of the TPM; `undefined` when it does not tell. */
export function readProperty(property: number): TpmCommand<number | undefined> {
  const command = getCapability(capability.properties, property, 1, (reader) => ({
    property: reader.uint32(),
    value: reader.uint32(),
  }));
  return {
    ...command,
    // A TPM that lacks the property answers with the next one.
    read: (reader, handle) => command.read(reader, handle).find((one) => one.property === property)?.value,
  };
}

function getCapability<Item>(
  kind: number,
  first: number,
  count: number,
  item: (reader: TpmReader) => Item,
): TpmCommand<readonly Item[]> {
  return {
    name: "TPM2_GetCapability",
    code: commandCode.getCapability,
    parameters: Buffer.concat([uint32(kind), uint32(first), uint32(count)]),
    read(reader) {
      reader.uint8(); // whether there is more
      reader.uint32(); // the kind again
      const items: Item[] = [];
      for (let left = reader.uint32(); left > 0; left--) items.push(item(reader));
      return items;
    },
  };
}
