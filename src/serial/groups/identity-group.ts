import { Secret } from "../../secret.ts";
import { AnswerFields } from "../answer-fields.ts";
import { readPieces } from "../pieces.ts";
import type { SmpCallOptions, SmpClient } from "../smp-client.ts";

/** Who the MCU is, and what it can do to prove it. */
export interface McuIdentity {
  readonly registrationId: string;
  /** `sas`, `p256`, `tpm`, and whatever newer firmware knows. */
  readonly kinds: readonly string[];
  /** Longest life of a token, in seconds. */
  readonly longestTokenLifeSeconds: number;
  /** Differs after each start of the firmware. */
  readonly boot: number | bigint;
}

/** What {@link IdentityGroup.token} asks for. Times are seconds since 1970: the MCU has no clock of its own. */
export interface McuTokenRequest {
  readonly service: "dps" | "hub";
  /** The id scope for DPS, the host name for a hub. */
  readonly scope: string;
  /** The device id at the hub, where it is not the registration id. */
  readonly deviceId?: string;
  readonly nowSeconds: number;
  readonly expiresAtSeconds: number;
}

/** No chain of certificates that a device needs is longer, in bytes. */
const longestChainBytes = 64 * 1024;

/** Group 70: the device's identity, which the MCU keeps. */
export class IdentityGroup {
  readonly #client: SmpClient;

  constructor(client: SmpClient) {
    this.#client = client;
  }

  /** Who the device is. */
  async identity(options?: SmpCallOptions): Promise<McuIdentity> {
    const body = await this.#client.request({ operation: "read", group: 70, command: 0 }, options);
    const fields = new AnswerFields("the identity", body);
    return {
      registrationId: fields.text("rid"),
      kinds: fields.texts("kinds"),
      longestTokenLifeSeconds: fields.count("life"),
      boot: fields.unsigned("boot"),
    };
  }

  /** A shared access signature, which the MCU writes itself. Rejects with `smp.refused` for a life that is too long. */
  async token(request: McuTokenRequest, options?: SmpCallOptions): Promise<Secret> {
    const { service, scope, deviceId, nowSeconds, expiresAtSeconds } = request;
    const device = deviceId === undefined ? {} : { dev: deviceId };
    const body = { for: service, scope, ...device, now: nowSeconds, exp: expiresAtSeconds };
    const answer = await this.#client.request(
      { operation: "write", group: 70, command: 1, body, repeatable: true, timeoutMs: 2_000 },
      options,
    );
    return new Secret(new AnswerFields("the token", answer).text("token"));
  }

  /** The certificates, DER, one behind the other: the device's own first. */
  async certificates(options?: SmpCallOptions): Promise<Uint8Array> {
    return readPieces("the certificate chain", longestChainBytes, (off) =>
      this.#client.request({ operation: "read", group: 70, command: 2, body: { off } }, options),
    );
  }

  /**
   * An ECDSA P-256 signature, DER, over a SHA-256 digest. Rejects with `smp.busy` while the MCU's limit on signatures is
   * reached.
   */
  async sign(digest: Uint8Array, options?: SmpCallOptions): Promise<Uint8Array> {
    const answer = await this.#client.request(
      { operation: "write", group: 70, command: 3, body: { hash: digest }, repeatable: true, timeoutMs: 3_000 },
      options,
    );
    return new AnswerFields("the signature", answer).bytes("sig");
  }
}
