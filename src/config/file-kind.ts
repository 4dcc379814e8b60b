import { shown, typeShown } from "./fault.ts";
import type { FileReference } from "./file-reference.ts";
import type { HardwareUri } from "./hardware-uri.ts";
import { absolutePath, locate } from "./location.ts";
import type { Kind } from "./schema.ts";

const aFile = "a file, as a path or a file:/// URI";

/** What a {@link file} holds, as far as validation cares. */
export interface FileRole {
  /** A private key: who may read the file is checked, and a wrong value is never shown. */
  readonly isPrivate: boolean;
  /** The kinds of hardware that it may be in instead of a file. Default: none. */
  readonly hardware?: readonly HardwareUri[];
  /** Looks at the content; absent: that the file can be read is all that counts. */
  readonly check?: FileReference<undefined>["parse"];
}

/**
 * A file that is used by its path. Read as the absolute path; relative ones start from the configuration's folder. A URI
 * of hardware is read as it is.
 */
export function file({ isPrivate, hardware = [], check }: FileRole): Kind<string, string> {
  const expects =
    hardware.length === 0 ? aFile : `${aFile}, or the URI of a ${hardware.map(({ of }) => of).join(" or ")}`;
  return {
    expects,
    read(value, at) {
      const found = isPrivate ? typeShown(value) : shown(value);
      if (typeof value !== "string" || value === "") return at.fault({ expected: expects, found });
      if (value.includes("-----BEGIN")) {
        return at.fault({ expected: expects, found: "PEM text", hint: "put it into a file of its own" });
      }
      const uri = hardware.find(({ isMeantBy }) => isMeantBy(value));
      if (uri !== undefined) return uri.read(value, at);
      const location = locate(value);
      if (location.kind === "unreachable") return at.fault({ expected: expects, ...location.problem });
      if (location.kind === "environment" || value.includes("\0")) return at.fault({ expected: expects, found });
      const path = location.kind === "file" ? location.file : absolutePath(value, at.surroundings.baseDirectory);
      at.refer({ file: path, isPrivate, ...(check === undefined ? {} : { parse: check }) });
      return path;
    },
  };
}

/** A folder or file that need not exist yet. Read as the absolute path. */
export const path: Kind<string, string> = {
  expects: "a path",
  read(value, at) {
    if (typeof value !== "string" || value === "" || value.includes("\0")) {
      return at.fault({ expected: this.expects, found: shown(value) });
    }
    return absolutePath(value, at.surroundings.baseDirectory);
  },
};
