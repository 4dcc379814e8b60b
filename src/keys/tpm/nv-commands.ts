import { commandCode } from "./constants.ts";
import { uint16 } from "./structure.ts";
import type { Authorization, TpmCommand } from "./tpm-command.ts";

/** How many bytes an index of the TPM's non-volatile memory has. */
export function nvSize(index: number): TpmCommand<number> {
  return {
    name: "TPM2_NV_ReadPublic",
    code: commandCode.nvReadPublic,
    handles: [index],
    read(reader) {
      const area = reader.part(reader.uint16());
      area.bytes(4 + 2 + 4); // index, name algorithm, attributes
      area.sized(); // policy
      const size = area.uint16();
      area.end();
      reader.sized(); // name
      return size;
    },
  };
}

/** Reads `length` bytes of an index, from `offset` on. */
export function nvRead(
  index: number,
  offset: number,
  length: number,
  authHandle: number,
  authorization: Authorization,
): TpmCommand<Buffer> {
  return {
    name: "TPM2_NV_Read",
    code: commandCode.nvRead,
    handles: [authHandle, index],
    authorizations: [authorization],
    parameters: Buffer.concat([uint16(length), uint16(offset)]),
    read: (reader) => reader.sized(),
  };
}
