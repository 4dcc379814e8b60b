import type { Fault } from "./fault.ts";

/** What reading a value came to: the value, or what is wrong with it. */
export type Parsed<T> = { readonly value: T } | { readonly problem: Omit<Fault, "path"> };

/** A file that a setting points to. Validation only notes it; it is looked at afterwards. */
export interface FileReference<T = unknown> {
  /** The setting, as TOML writes it. */
  readonly path: string;
  /** Absolute path of the file. */
  readonly file: string;
  /** The file holds a private key or another secret: who may read it is checked. */
  readonly isPrivate: boolean;
  /** Turns the content into the setting's value. Absent: that the file can be read is all that counts. */
  readonly parse?: (content: Buffer) => Parsed<T>;
}

/** A setting's value: known already, or the content of a file that is still to be read. */
export type Sourced<T> =
  | { readonly kind: "known"; readonly value: T }
  | { readonly kind: "file"; readonly reference: FileReference<T> };
