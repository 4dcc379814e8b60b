import { type Clock, systemClock } from "../../clock.ts";
import { LandfallError } from "../../errors.ts";
import type { CallOptions, DpsChannel, DpsIdentity, DpsTransport, Route, TransportAbilities } from "../transport.ts";
import { proofOf } from "./sdk-credential.ts";
import { SdkDpsChannel } from "./sdk-dps-channel.ts";
import { loadClass } from "./sdk-loading.ts";
import { type LibraryLookup, requireVettedAddresses, sdkHost, systemAddresses } from "./sdk-route.ts";
import type { SdkDpsTransportClass } from "./sdk-shapes.ts";

/** What an {@link AzureSdkDpsTransport} takes. */
export interface AzureSdkDpsTransportOptions {
  /**
   * Gives the transport class of an `azure-iot-provisioning-device-*` package; called at the first connect, so that the
   * package is loaded when it is needed.
   */
  readonly load: () => SdkDpsTransportClass | Promise<SdkDpsTransportClass>;
  /** Name in logs and messages. Default `azure-sdk`. */
  readonly name?: string;
  /**
   * Whether the class puts the host into a URL as it is, so that a route may have a port of its own. `Mqtt` does; the
   * others have their port fixed. Default false.
   */
  readonly portInHost?: boolean;
  /** How the library's own look-up is foreseen. Default: the system's resolver, which is what the library asks. */
  readonly lookup?: LibraryLookup;
  /** Default: the machine's. */
  readonly clock?: Clock;
  /** Life of a token in milliseconds. Default one hour. */
  readonly tokenLifetimeMs?: number;
  /** Milliseconds until an unanswered request rejects with `transport.timeout`. Default 30 000. */
  readonly requestTimeoutMs?: number;
}

/**
 * DPS over a transport of Microsoft's device library for Node. It dials by itself: `connect_to`, proxies and a
 * trust bundle do not reach it; further CAs are given to Node in NODE_EXTRA_CA_CERTS. Addresses cannot be pinned, but it
 * is let loose only while the system's resolver gives it none but those of the route.
 *
 * The library connects with the first request, so a refusal shows there and not at {@link connect}. What it keeps to
 * itself cannot be told: 429 and 5xx arrive as 429 without a body, and over MQTT only ASCII arrives as it was sent.
 */
export class AzureSdkDpsTransport implements DpsTransport {
  readonly name: string;
  readonly abilities: TransportAbilities = { credentials: ["certificate", "sas"], challenge: false };
  readonly #options: AzureSdkDpsTransportOptions;

  constructor(options: AzureSdkDpsTransportOptions) {
    this.#options = options;
    this.name = options.name ?? "azure-sdk";
  }

  /** Makes the library's transport ready; contacts nobody but the resolver. Rejects with `transport.unsupported`, `endpoint.*` or `key.*`. */
  async connect(route: Route, identity: DpsIdentity, { signal }: CallOptions = {}): Promise<DpsChannel> {
    signal?.throwIfAborted();
    const { load, clock = systemClock, portInHost = false, lookup = systemAddresses } = this.#options;
    const { tokenLifetimeMs: lifetimeMs = 3_600_000, requestTimeoutMs = 30_000 } = this.#options;
    const { idScope, registrationId, credential } = identity;
    if (credential === undefined) {
      throw new LandfallError("attestation.unsupported-pair", `${this.name} needs a credential to connect with`);
    }
    const provisioningHost = sdkHost(route, this.name, portInHost);
    await requireVettedAddresses(route, this.name, lookup, { signal });
    const Transport = await loadClass(this.name, load, signal);
    const tokenFor = { resource: `${idScope}/registrations/${registrationId}`, keyName: "registration" };
    const proof = await proofOf(credential, tokenFor, { clock, lifetimeMs, signal });
    const transport = new Transport();
    if (proof.kind === "token") transport.setSharedAccessSignature?.(proof.token.reveal());
    else transport.setAuthentication?.(proof.certificate);
    return new SdkDpsChannel(transport, { provisioningHost, idScope, registrationId }, { clock, requestTimeoutMs });
  }
}
