import { readFileSync } from "node:fs";
import type { CborValue } from "../../../src/serial/cbor.ts";
import type { SmpOperation } from "../../../src/serial/smp-packet.ts";

export interface PacketVector {
  readonly name: string;
  readonly hex: string;
  readonly version: number;
  readonly op: SmpOperation;
  readonly group: number;
  readonly sequence: number;
  readonly command: number;
  readonly body: unknown;
}

interface Vectors {
  readonly crc: readonly { readonly name: string; readonly hex: string; readonly crc: string }[];
  readonly packets: readonly PacketVector[];
  readonly frames: readonly { readonly name: string; readonly packet: string; readonly lines: readonly string[] }[];
  readonly received: readonly { readonly name: string; readonly wire: string; readonly packets: readonly string[] }[];
  readonly faults: readonly {
    readonly name: string;
    readonly packet: string;
    readonly fault: { readonly group?: number; readonly rc: number; readonly reason?: string } | null;
  }[];
  readonly cbor: readonly { readonly name: string; readonly hex: string; readonly value: unknown }[];
  readonly cborRefused: readonly { readonly name: string; readonly hex: string }[];
}

/** The vectors that every side of the serial link answers to. */
export const smpVectors = JSON.parse(
  readFileSync(new URL("../../vectors/smp.json", import.meta.url), "utf8"),
) as Vectors;

/** A value of the vectors, where `{"$bytes": hex}` stands for a byte string. */
export function vectorValue(value: unknown): CborValue {
  if (typeof value !== "object" || value === null) return value as CborValue;
  if (Array.isArray(value)) return value.map(vectorValue);
  const entries = Object.entries(value);
  if (entries.length === 1 && entries[0]?.[0] === "$bytes") return fromHex(entries[0][1] as string);
  return Object.fromEntries(entries.map(([name, each]) => [name, vectorValue(each)]));
}

export const fromHex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "hex"));
export const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

/** The packet of a vector by its name. */
export function packetVector(name: string): PacketVector {
  const found = smpVectors.packets.find((each) => each.name === name);
  if (!found) throw new Error(`no packet named "${name}" in smp.json`);
  return found;
}
