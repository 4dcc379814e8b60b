import { LandfallError } from "../../errors.ts";
import type { Secret } from "../../secret.ts";
import { permanentHandle } from "./constants.ts";
import { responseError } from "./response-error.ts";
import { headerBytes } from "./response-frame.ts";
import { sized, uint8, uint16, uint32 } from "./structure.ts";
import { TpmReader } from "./tpm-reader.ts";

/** A command with everything in it, and how to read what the TPM answers. */
export interface TpmCommand<Result> {
  /** As the specification spells it (`TPM2_Load`), for messages. */
  readonly name: string;
  readonly code: number;
  readonly handles?: readonly number[];
  /** One for each of the first handles that need it. */
  readonly authorizations?: readonly Authorization[];
  readonly parameters?: Uint8Array;
  /** The response begins with the handle of something new, which has to be flushed one day. */
  readonly returnsHandle?: boolean;
  /** A handle that is gone when the command has succeeded. */
  readonly consumes?: number;
  /** Reads the parameters of the response. */
  read(reader: TpmReader, handle: number): Result;
}

/** Leave to use a handle: its password, or a policy session that has met its policy. */
export type Authorization =
  | { readonly kind: "password"; readonly password?: Secret<Uint8Array> | undefined }
  | { readonly kind: "session"; readonly handle: number };

/** Authorization by the empty password. */
export const noPassword: Authorization = { kind: "password" };

/** A response, taken apart but not yet read. */
export interface TpmResponse {
  /** Absent when the command returns none. */
  readonly handle?: number;
  readonly parameters: TpmReader;
}

const tag = { withoutSessions: 0x8001, withSessions: 0x8002 } as const;

/** The bytes of a command. They hold the passwords of its authorizations. */
export function encodeCommand(command: TpmCommand<unknown>): Buffer {
  const { code, handles = [], authorizations = [], parameters = Buffer.alloc(0) } = command;
  const area = Buffer.concat(authorizations.map(encodeAuthorization));
  const content = Buffer.concat([
    ...handles.map(uint32),
    ...(authorizations.length === 0 ? [] : [uint32(area.length), area]),
    parameters,
  ]);
  const kind = authorizations.length === 0 ? tag.withoutSessions : tag.withSessions;
  return Buffer.concat([uint16(kind), uint32(headerBytes + content.length), uint32(code), content]);
}

/** Handle, empty nonce, attributes, and for a password the password itself where a session has its HMAC. */
function encodeAuthorization(authorization: Authorization): Buffer {
  const continueSession = 1;
  const password = authorization.kind === "password" ? authorization.password?.reveal() : undefined;
  const handle = authorization.kind === "password" ? permanentHandle.password : authorization.handle;
  return Buffer.concat([uint32(handle), uint16(0), uint8(continueSession), sized(password ?? Buffer.alloc(0))]);
}

/**
 * Takes a response apart. Throws `tpm.malformed-response` for bytes that are no response to `command`, and the error of
 * {@link responseError} when the TPM refused it.
 */
export function decodeResponse(command: TpmCommand<unknown>, response: Uint8Array): TpmResponse {
  const { name, returnsHandle = false, authorizations = [] } = command;
  const reader = new TpmReader(response, `the response to ${name}`);
  const kind = reader.uint16();
  const size = reader.uint32();
  const code = reader.uint32();
  if (size !== response.length) {
    throw malformed(name, `${response.length} bytes where its header says ${size}`);
  }
  if (code !== 0) throw responseError(name, code);
  const expected = authorizations.length === 0 ? tag.withoutSessions : tag.withSessions;
  if (kind !== expected)
    throw malformed(name, `the tag 0x${kind.toString(16)} where 0x${expected.toString(16)} should be`);
  const handle = returnsHandle ? { handle: reader.uint32() } : {};
  const parameters = authorizations.length === 0 ? reader.part(reader.left) : reader.part(reader.uint32());
  for (const _ of authorizations) {
    reader.sized(); // nonce
    reader.uint8(); // attributes
    reader.sized(); // HMAC
  }
  reader.end();
  return { ...handle, parameters };
}

/** Reads what {@link decodeResponse} took apart, to its last byte. */
export function readResult<Result>(command: TpmCommand<Result>, { handle = 0, parameters }: TpmResponse): Result {
  const result = command.read(parameters, handle);
  parameters.end();
  return result;
}

function malformed(name: string, found: string): LandfallError {
  return new LandfallError("tpm.malformed-response", `The response to ${name} has ${found}.`);
}
