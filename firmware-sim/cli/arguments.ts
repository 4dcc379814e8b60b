import { readFileSync } from "node:fs";
import { type ParseArgsConfig, parseArgs } from "node:util";
import { LandfallError } from "../../src/errors.ts";
import type { McuIdentityOptions } from "../identity/identity.ts";
import type { LinePlace } from "../lines/open-line.ts";
import { type Misbehaviour, type MisbehaviourKind, misbehaviourKinds } from "../misbehaviour.ts";
import type { SimulatedMcuOptions } from "../options.ts";

const text = { type: "string" } as const;
const flag = { type: "boolean" } as const;

const options = {
  link: text,
  socat: flag,
  unix: text,
  tcp: text,
  host: text,
  flash: text,
  seed: text,
  "registration-id": text,
  "key-file": text,
  certificate: text,
  "private-key": text,
  tpm: text,
  "token-life": text,
  "buffer-bytes": text,
  "start-ms": text,
  "erase-ms": text,
  misbehave: { type: "string", multiple: true },
  verbose: { type: "boolean", short: "v" },
  help: { type: "boolean", short: "h" },
} satisfies NonNullable<ParseArgsConfig["options"]>;

/** What the command line asks for. */
export interface SimulatorArguments {
  readonly help: boolean;
  /** Tell what happens, on standard error. */
  readonly verbose: boolean;
  readonly place: LinePlace;
  readonly mcu: SimulatedMcuOptions;
  readonly misbehaviours: readonly Misbehaviour[];
}

/** Reads the command line and the files that it names. Throws `cli.usage`. */
export function readArguments(args: readonly string[]): SimulatorArguments {
  const given = parse(args);
  const number = (name: "seed" | "token-life" | "buffer-bytes" | "start-ms" | "erase-ms"): number | undefined =>
    given[name] === undefined ? undefined : wholeNumber(name, given[name]);
  return {
    help: given.help ?? false,
    verbose: given.verbose ?? false,
    place: placeFrom(given),
    mcu: withoutUndefined({
      identity: identityFrom(given, number("token-life")),
      flash: given.flash,
      seed: number("seed"),
      bufferBytes: number("buffer-bytes"),
      startMs: number("start-ms") ?? 100,
      eraseMs: number("erase-ms"),
    }),
    misbehaviours: (given.misbehave ?? []).map(misbehaviourFrom),
  };
}

type Given = ReturnType<typeof parse>;

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options, strict: true, allowPositionals: false }).values;
  } catch (cause) {
    throw new LandfallError("cli.usage", (cause as Error).message, { cause });
  }
}

function placeFrom({ link, socat, unix, tcp, host }: Given): LinePlace {
  if ([unix, tcp, link ?? (socat || undefined)].filter((each) => each !== undefined).length > 1) {
    throw new LandfallError("cli.usage", "expected one of --unix, --tcp, and a terminal (--socat, --link)");
  }
  if (unix !== undefined) return { kind: "unix", path: unix };
  if (tcp !== undefined) return withoutUndefined({ kind: "tcp", port: wholeNumber("tcp", tcp, 65_535), host });
  return { kind: "terminal", maker: socat ? "socat" : "script", link };
}

function identityFrom(given: Given, tokenLifeSeconds: number | undefined): McuIdentityOptions {
  return withoutUndefined({
    registrationId: given["registration-id"],
    symmetricKey: contentOf("key-file", given["key-file"])?.trim(),
    certificate: contentOf("certificate", given.certificate),
    privateKey: contentOf("private-key", given["private-key"]),
    tpmSocket: given.tpm,
    tokenLifeSeconds,
  });
}

/** `lose-answer`, `lose-answer:72/0`, `lose-answer:72/0:3`: what, with which command, how often. */
function misbehaviourFrom(word: string): Misbehaviour {
  const [does = "", address = "", times] = word.split(":");
  const [group, command] = address === "" ? [] : address.split("/");
  if (!misbehaviourKinds.includes(does as MisbehaviourKind)) {
    throw new LandfallError("cli.usage", `--misbehave: expected one of ${misbehaviourKinds.join(", ")}, got "${does}"`);
  }
  const number = (digits: string | undefined, most?: number): number | undefined =>
    digits === undefined ? undefined : wholeNumber("misbehave", digits, most);
  return withoutUndefined({
    does: does as MisbehaviourKind,
    group: number(group, 65_535),
    command: number(command, 255),
    times: times === "always" ? Number.POSITIVE_INFINITY : number(times),
  });
}

function wholeNumber(name: string, word: string, most = Number.MAX_SAFE_INTEGER): number {
  const value = Number(word);
  if (/^\d+$/.test(word) && value <= most) return value;
  throw new LandfallError("cli.usage", `--${name}: expected a whole number, got "${word}"`);
}

function contentOf(name: string, file: string | undefined): string | undefined {
  try {
    return file === undefined ? undefined : readFileSync(file, "utf8");
  } catch (cause) {
    throw new LandfallError("cli.usage", `--${name}: ${file} cannot be read`, { cause });
  }
}

type Defined<T> = { readonly [Name in keyof T]: Exclude<T[Name], undefined> };

/** What was not given is absent, not undefined. */
function withoutUndefined<T extends object>(object: T): Defined<T> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as Defined<T>;
}
