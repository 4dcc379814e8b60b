import type { KeyObject } from "node:crypto";
import { systemClock } from "../../clock.ts";
import { withDeadline } from "../../deadline.ts";
import { LandfallError } from "../../errors.ts";
import { IdentityGroup } from "../../serial/groups/identity-group.ts";
import type { McuLink } from "../../serial/mcu-link.ts";
import type { SmpCallOptions } from "../../serial/smp-client.ts";
import type { DigestSigner } from "../digest-signer.ts";
import { readMcuCertificates } from "./mcu-certificates.ts";

/** TLS lets its thread do nothing while it waits, so it must not wait for long, in milliseconds. */
const longestSigningMs = 8_000;

/** Signs with the P-256 key in an MCU. The link belongs to it, and is closed with it. */
export class McuDigestSigner implements DigestSigner {
  readonly publicKey: KeyObject;
  readonly #link: McuLink;
  readonly #identity: IdentityGroup;

  private constructor(link: McuLink, publicKey: KeyObject) {
    this.#link = link;
    this.#identity = new IdentityGroup(link);
    this.publicKey = publicKey;
  }

  /**
   * Reads the key's public half from the certificate that the MCU has for it. Rejects with `certificate.unusable`,
   * `key.unusable` for a key of another kind, `smp.*`, `serial.*` and `signal.reason`. The link stays open then.
   */
  static async open(link: McuLink, options: SmpCallOptions = {}): Promise<McuDigestSigner> {
    const { chain } = await readMcuCertificates(link, options);
    const { publicKey } = chain[0];
    if (publicKey.asymmetricKeyDetails?.namedCurve === "prime256v1") return new McuDigestSigner(link, publicKey);
    const found = publicKey.asymmetricKeyType;
    throw new LandfallError("key.unusable", `Expected the certificate of a P-256 key in the MCU; found ${found}.`);
  }

  /** Rejects with `serial.unplugged` at once when the MCU is away, `smp.timeout` after 8 s, and `smp.busy`. */
  async sign(digest: Uint8Array, { signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<Uint8Array> {
    if (!this.#link.isUp) throw new LandfallError("serial.unplugged", `${this.#link.portName} is away`);
    return withDeadline((limit) => this.#identity.sign(digest, { signal: limit }), {
      clock: systemClock,
      ms: longestSigningMs,
      signal,
      expired: () => new LandfallError("smp.timeout", `the MCU gave no signature in ${longestSigningMs} ms`),
    });
  }

  async close(): Promise<void> {
    await this.#link.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
