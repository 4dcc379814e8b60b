import { isTable } from "./fault.ts";
import type { Sourced } from "./file-reference.ts";
import type { HardwareUri } from "./hardware-uri.ts";
import type { Place } from "./place.ts";
import type { Kind } from "./schema.ts";

/** How a setting says that what it names is in the MCU of `[mcu]`. There is one MCU, so nothing follows. */
export const inMcu = "mcu:";

/** {@link inMcu}, as a type. */
export type InMcu = typeof inMcu;

const meansMcu = (text: string): boolean => /^mcu:/i.test(text);

/** `mcu:`, for settings that take it beside a file. */
export const mcuUri: HardwareUri = {
  of: `MCU ("${inMcu}")`,
  isMeantBy: meansMcu,
  read(text, at) {
    return text === inMcu ? text : refuse(at);
  },
};

/** A setting that is either in the MCU or of another kind. `mcu:` may stand in a table as `{ uri = "mcu:" }`, too. */
export function orInMcu<Value, Input>(kind: Kind<Value, Input>): Kind<Value | InMcu, Input | InMcu> {
  return {
    ...kind,
    expects: `${kind.expects}, or "${inMcu}"`,
    read(value, at) {
      const text = isTable(value) && Object.keys(value).length === 1 ? value.uri : value;
      if (typeof text !== "string" || !meansMcu(text)) return kind.read(value, at);
      return text === inMcu ? inMcu : refuse(at);
    },
  };
}

/** What {@link open} is to a value that may be in the MCU instead. */
export function unlessInMcu<T>(value: Sourced<T> | InMcu, open: (source: Sourced<T>) => T): T | InMcu {
  return value === inMcu ? inMcu : open(value);
}

function refuse(at: Place): undefined {
  return at.fault({ expected: `"${inMcu}"`, found: "an mcu: URI with more in it", code: "key.invalid-uri" });
}
