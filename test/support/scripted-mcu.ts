import type { Duplex } from "node:stream";
import { decode, encode } from "cborg";
import type { CborMap } from "../../src/serial/cbor.ts";
import { encodeFrames } from "../../src/serial/console-frames.ts";
import { FrameReader } from "../../src/serial/frame-reader.ts";
import { decodePacket, encodePacket, type SmpPacket } from "../../src/serial/smp-packet.ts";
import { MemoryPort } from "../../src/testing/memory-port.ts";
import { Sightings } from "../../src/testing/sightings.ts";

/** One packet that came in, its body decoded. */
export interface SeenPacket extends Omit<SmpPacket, "body"> {
  readonly body: CborMap;
}

/** What a script answers: a body, a whole packet's fields, or nothing at all. */
export type ScriptedAnswer = CborMap | undefined;

/**
 * Something at the other end of a link that says what a test tells it to. Not a simulator: it keeps no state of its own, and
 * shares the framing with the client, which is held by vectors.
 */
export class ScriptedMcu {
  readonly port: MemoryPort;
  readonly seen = new Sightings<SeenPacket>();
  /** Answers by "group/command"; `undefined` keeps silent. What is not here is not supported. */
  readonly answers = new Map<string, (packet: SeenPacket) => ScriptedAnswer | Promise<ScriptedAnswer>>();
  #far: Duplex | undefined;

  constructor(quality: ConstructorParameters<typeof MemoryPort>[1] = {}) {
    this.port = new MemoryPort((far) => this.attach(far), quality);
    this.on("0/6", () => ({ buf_size: 384, buf_count: 4 }));
  }

  on(command: string, answer: (packet: SeenPacket) => ScriptedAnswer | Promise<ScriptedAnswer>): this {
    this.answers.set(command, answer);
    return this;
  }

  /** What was asked, as "group/command", oldest first. */
  get asked(): string[] {
    return this.seen.all.map(({ group, command }) => `${group}/${command}`);
  }

  /** The bodies of what was asked of one command. */
  bodies(command: string): CborMap[] {
    return this.seen.all.filter((each) => `${each.group}/${each.command}` === command).map(({ body }) => body);
  }

  /** Sends a packet. */
  send(packet: Omit<SmpPacket, "body"> & { readonly body: CborMap }): void {
    this.write(encodeFrames(encodePacket({ ...packet, body: encode(packet.body) })));
  }

  /** Puts bytes on the line as they are. */
  write(bytes: string | Uint8Array): void {
    this.#far?.write(bytes);
  }

  /** Answers a packet. */
  reply(packet: SeenPacket, body: CborMap): void {
    this.send({ ...packet, operation: `${packet.operation}-response` as SmpPacket["operation"], body });
  }

  /** Speaks over a stream from now on; its port does that by itself. */
  attach(far: Duplex): void {
    this.#far = far;
    const reader = new FrameReader({ onPacket: (bytes) => void this.#receive(bytes) });
    far.on("data", (chunk: Buffer) => reader.push(chunk));
  }

  async #receive(bytes: Uint8Array): Promise<void> {
    const packet = decodePacket(bytes);
    if (!packet) return;
    const seen: SeenPacket = { ...packet, body: decode(Uint8Array.from(packet.body)) as CborMap };
    this.seen.add(seen);
    if (packet.operation.endsWith("response")) return;
    const script = this.answers.get(`${packet.group}/${packet.command}`);
    const body = script ? await script(seen) : { rc: 8 };
    if (body) this.reply(seen, body);
  }
}
