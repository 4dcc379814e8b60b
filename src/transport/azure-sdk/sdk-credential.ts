import { EventEmitter } from "node:events";
import type { Clock } from "../../clock.ts";
import { LandfallError } from "../../errors.ts";
import type { Credential, SasRequest } from "../../keys/credential.ts";
import type { Secret } from "../../secret.ts";
import type { CallOptions, HubIdentity, Route } from "../transport.ts";
import type { SdkCallback, SdkCertificate } from "./sdk-shapes.ts";

/** What the library is given to prove who the device is. */
export type SdkProof =
  | { readonly kind: "certificate"; readonly certificate: SdkCertificate }
  | { readonly kind: "token"; readonly token: Secret; readonly expiresAtMs: number };

/**
 * Makes the proof. The library holds a certificate's key itself; rejects with `key.not-exportable` for one that cannot
 * leave its place, and with what the credential rejects with.
 */
export async function proofOf(
  credential: Credential,
  tokenFor: Pick<SasRequest, "resource" | "keyName">,
  { clock, lifetimeMs, signal }: CallOptions & { readonly clock: Clock; readonly lifetimeMs: number },
): Promise<SdkProof> {
  signal?.throwIfAborted();
  if (credential.kind === "sas") {
    const { text, expiresAtMs } = await credential.token(
      { ...tokenFor, expiresAtMs: clock.now() + lifetimeMs },
      { signal },
    );
    return { kind: "token", token: text, expiresAtMs };
  }
  const { identity } = credential;
  const key = identity.exportKey?.();
  if (key !== undefined) {
    return { kind: "certificate", certificate: { cert: identity.certificateChain, key: key.reveal() } };
  }
  throw new LandfallError(
    "key.not-exportable",
    "the Azure SDK wants to hold the private key, which cannot leave its place",
  );
}

/** The kinds of a provider, as the library numbers them. */
const providerTypes = { certificate: 0, token: 1 } as const;

/**
 * The provider of credentials that the library's hub transports ask. It never renews: a session of landfall renews by
 * opening another connection, with another provider.
 */
export class SdkAuthenticationProvider extends EventEmitter {
  readonly type: (typeof providerTypes)[SdkProof["kind"]];
  readonly #credentials: Readonly<Record<string, unknown>>;

  constructor(route: Route, { deviceId }: Pick<HubIdentity, "deviceId">, proof: SdkProof) {
    super();
    this.type = providerTypes[proof.kind];
    const { host, port } = route;
    this.#credentials = {
      host,
      deviceId,
      // What is dialled, where that is not what is named; the library knows it from gateways.
      ...(port === undefined ? {} : { gatewayHostName: `${host}:${port}` }),
      ...(proof.kind === "token" ? { sharedAccessSignature: proof.token.reveal() } : { x509: proof.certificate }),
    };
  }

  /** The library asks at every connect. */
  getDeviceCredentials(callback: SdkCallback): void {
    callback(null, this.#credentials);
  }

  /** The library says that it needs no more tokens. There is no timer to stop. */
  stop(): void {}
}
