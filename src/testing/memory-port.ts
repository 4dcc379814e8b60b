import type { Duplex } from "node:stream";
import { setImmediate as nextTurn } from "node:timers/promises";
import { LandfallError } from "../errors.ts";
import type { Port } from "../serial/port.ts";
import { FaultyLink, type FaultyLinkOptions } from "./faulty-link.ts";
import { Sightings } from "./sightings.ts";

/** A port in memory, which a test plugs and unplugs. Each opening lays a new {@link FaultyLink}. */
export class MemoryPort implements Port {
  readonly name: string;
  /** Quality of the links from now on. Default: nothing goes wrong, nothing takes time. */
  quality: FaultyLinkOptions;
  readonly #attach: (far: Duplex) => void;
  readonly #links = new Sightings<FaultyLink>();
  #plugged = true;
  #attempts = 0;

  /** @param attach gets the device's end of every link */
  constructor(
    attach: (far: Duplex) => void,
    { name = "memory", ...quality }: FaultyLinkOptions & { readonly name?: string } = {},
  ) {
    this.#attach = attach;
    this.name = name;
    this.quality = quality;
  }

  /** How often somebody tried to open it. */
  get attempts(): number {
    return this.#attempts;
  }

  /** The link that was laid last. Throws when nobody has opened the port. */
  get link(): FaultyLink {
    const link = this.#links.all.at(-1);
    if (!link) throw new Error("nobody has opened the memory port yet");
    return link;
  }

  /** Resolves with the `count`-th link (1 is the first) once it was laid. */
  opened(count: number): Promise<FaultyLink> {
    return this.#links.nth(count);
  }

  /** Takes the port away: its link breaks, and it cannot be opened until {@link plug}. */
  unplug(): void {
    this.#plugged = false;
    this.#links.all.at(-1)?.hangUp();
  }

  /** Brings the port back under its name. */
  plug(): void {
    this.#plugged = true;
  }

  async open({ signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<Duplex> {
    signal?.throwIfAborted();
    this.#attempts += 1;
    if (!this.#plugged)
      throw new LandfallError("serial.port-not-found", `could not open ${this.name}: it is unplugged`);
    // No device opens in the turn of the call.
    await nextTurn();
    signal?.throwIfAborted();
    const link = new FaultyLink(this.quality);
    link.near.on("error", () => {});
    link.far.on("error", () => {});
    this.#attach(link.far);
    this.#links.add(link);
    return link.near;
  }
}
