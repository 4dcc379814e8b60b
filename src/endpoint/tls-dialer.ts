import { lookup as systemLookup } from "node:dns/promises";
import { isIP, type Socket } from "node:net";
import type { Clock } from "../clock.ts";
import { withDeadline } from "../deadline.ts";
import { isLandfallError, LandfallError } from "../errors.ts";
import { type Logger, silentLogger } from "../log.ts";
import type { Secret } from "../secret.ts";
import type { TlsIdentity } from "../tls-identity.ts";
import { type ConnectToRule, type Redirection, redirect } from "./connect-to.ts";
import { allFailed, lookupError, shown } from "./dial-error.ts";
import type { DialedSocket, Dialer, DialOptions, DialPath, DialTarget } from "./dialer.ts";
import { formatIp, parseIp } from "./ip-address.ts";
import { goesDirect } from "./no-proxy.ts";
import { type ProxyServer, parseProxy, resolvesNames } from "./proxy.ts";
import { openTcp, startTls } from "./sockets.ts";
import { TrustedContexts } from "./trust.ts";
import { openTunnel } from "./tunnel.ts";

/** Resolves a host name to addresses, best first. Rejects with a system error (`ENOTFOUND` …) or a `LandfallError`. */
export type AddressLookup = (
  host: string,
  options: { readonly signal?: AbortSignal | undefined },
) => Promise<readonly string[]>;

/** What {@link TlsDialer} takes. */
export interface TlsDialerOptions {
  readonly clock: Clock;
  /** Default: silent. */
  readonly log?: Logger;
  /** PEM text of CAs trusted beside the system's; see `readTrustBundle`. */
  readonly trustBundle?: string | undefined;
  /** Default: none. */
  readonly connectTo?: readonly ConnectToRule[];
  /** URL of the proxy for targets that allow one. Default: none. */
  readonly proxy?: Secret | undefined;
  /** Hosts that go direct all the same, in the form of `NO_PROXY` entries. Default: none. */
  readonly noProxy?: readonly string[] | undefined;
  /** Default: the system's resolver. */
  readonly lookup?: AddressLookup;
  /** Milliseconds for each address, TLS included, and for each look-up. Default 15 000. */
  readonly connectTimeoutMs?: number;
}

/**
 * Dials TCP first and starts TLS on that socket, so that the host that is verified and the address that is dialled are two
 * things: pinned addresses, `connect_to` rules and proxies change the second alone.
 */
export class TlsDialer implements Dialer {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #connectTo: readonly ConnectToRule[];
  readonly #proxy: ProxyServer | undefined;
  readonly #noProxy: readonly string[];
  readonly #lookup: AddressLookup;
  readonly #timeoutMs: number;
  readonly #contexts: TrustedContexts;

  /** Throws `endpoint.proxy-failed` when the proxy is not a URL of a known kind. */
  constructor(options: TlsDialerOptions) {
    this.#clock = options.clock;
    this.#log = options.log ?? silentLogger;
    this.#connectTo = options.connectTo ?? [];
    this.#proxy = options.proxy && parseProxy(options.proxy);
    this.#noProxy = options.noProxy ?? [];
    this.#lookup = options.lookup ?? lookupWithSystem;
    this.#timeoutMs = options.connectTimeoutMs ?? 15_000;
    this.#contexts = new TrustedContexts(options.trustBundle);
  }

  async dial(target: DialTarget, { identity, signal }: DialOptions = {}): Promise<DialedSocket> {
    signal?.throwIfAborted();
    const redirection = this.#redirect(target);
    const proxy = this.#proxyFor(target);
    const destinations = await this.#destinations(target, redirection, proxy, signal);
    const port = redirection?.port ?? target.port;
    const failures: LandfallError[] = [];
    for (const address of destinations) {
      const where = this.#placeOf(address, port, { host: target.host, proxy, rule: redirection?.rule });
      try {
        return await this.#withinTime(
          (limit) => this.#attempt(where, identity, limit),
          () => new LandfallError("endpoint.connect-timeout", `no connection to ${shown(address, port)} in time`),
          signal,
        );
      } catch (error) {
        if (signal?.aborted || !isLandfallError(error) || !error.code.startsWith("endpoint.")) throw error;
        this.#log.debug(error.message, { host: target.host, address });
        failures.push(error);
      }
    }
    throw allFailed(target.host, failures);
  }

  #redirect({ host, port }: DialTarget): Redirection | undefined {
    const redirection = redirect(this.#connectTo, host, port);
    if (redirection) {
      const to = shown(redirection.host, redirection.port);
      this.#log.info(`dialling ${to} instead of ${shown(host, port)}; ${host} is still the name that is verified`, {
        connectTo: redirection.rule.text,
      });
    }
    return redirection;
  }

  /** Rules may also carry single addresses elsewhere; the address is still the one that was vetted. */
  #placeOf(address: string, port: number, about: Omit<Destination, "address" | "dialled">): Destination {
    const carried =
      about.rule === undefined && about.proxy === undefined ? redirect(this.#connectTo, address, port) : undefined;
    if (carried === undefined) return { ...about, address, dialled: { address, port } };
    const to = shown(carried.host, carried.port);
    this.#log.info(`dialling ${to} instead of ${shown(address, port)}`, { connectTo: carried.rule.text });
    return { ...about, address, rule: carried.rule, dialled: { address: carried.host, port: carried.port } };
  }

  #proxyFor({ host, port, proxy }: DialTarget): ProxyServer | undefined {
    return proxy === "allowed" && !goesDirect(this.#noProxy, host, port) ? this.#proxy : undefined;
  }

  /** What to dial, in order: addresses, or one name that the proxy will resolve. */
  async #destinations(
    { host, addresses }: DialTarget,
    redirection: Redirection | undefined,
    proxy: ProxyServer | undefined,
    signal: AbortSignal | undefined,
  ): Promise<readonly string[]> {
    const redirected = redirection !== undefined && redirection.host !== host;
    if (addresses !== undefined && addresses.length > 0 && !redirected) return addresses;
    const name = redirection?.host ?? host;
    return proxy && resolvesNames(proxy) ? [name] : this.#resolve(name, signal);
  }

  async #resolve(host: string, signal: AbortSignal | undefined): Promise<readonly string[]> {
    if (isIP(host) !== 0) return [host];
    try {
      const addresses = await this.#withinTime(
        (limit) => this.#lookup(host, { signal: limit }),
        () => new LandfallError("endpoint.name-not-found", `no name server answered for ${host} in time`),
        signal,
      );
      if (addresses.length > 0) return addresses;
    } catch (error) {
      throw signal?.aborted ? signal.reason : lookupError(host, error);
    }
    throw new LandfallError("endpoint.name-not-found", `${host} has no address`);
  }

  async #attempt(where: Destination, identity: TlsIdentity | undefined, signal: AbortSignal): Promise<DialedSocket> {
    const { host, address, dialled, proxy, rule } = where;
    let connection: Socket | undefined;
    try {
      const opening = proxy
        ? this.#throughProxy(proxy, dialled.address, dialled.port, signal)
        : openTcp(dialled.address, dialled.port, signal);
      // The first context reads every root certificate; meanwhile the handshake of TCP is under way.
      const context = this.#contexts.for(identity);
      context.catch(() => {}); // it is waited for after TCP, which may fail before
      connection = await opening;
      if (!proxy) requireReached(connection, dialled.address);
      const socket = await startTls(connection, host, await context, signal);
      const path: DialPath = {
        address,
        remoteAddress: connection.remoteAddress ?? (proxy ? proxy.host : dialled.address),
        remotePort: connection.remotePort ?? (proxy ? proxy.port : dialled.port),
        ...(proxy ? { proxy: proxy.name } : {}),
        ...(rule ? { connectTo: rule.text } : {}),
      };
      return { socket, path };
    } catch (error) {
      connection?.destroy();
      throw this.#signingFailure(error, identity) ?? error;
    }
  }

  /** Where it was our own key that failed, neither the peer nor the network is to blame, and no other address helps. */
  #signingFailure(error: unknown, identity: TlsIdentity | undefined): LandfallError | undefined {
    if (!isLandfallError(error) || error.code !== "endpoint.tls-failed") return undefined;
    const failure = identity?.signingFailure?.(error.cause);
    // The context names whoever did not sign.
    if (identity !== undefined && failure !== undefined) this.#contexts.forget(identity);
    return failure;
  }

  async #throughProxy(proxy: ProxyServer, host: string, port: number, signal: AbortSignal): Promise<Socket> {
    let connection: Socket | undefined;
    try {
      const [address = proxy.host] = await this.#resolve(proxy.host, signal);
      connection = await openTcp(address, proxy.port, signal);
      if (proxy.protocol === "https") {
        connection = await startTls(connection, proxy.host, await this.#contexts.for(undefined), signal);
      }
    } catch (cause) {
      connection?.destroy();
      if (signal.aborted) throw signal.reason;
      const { message } = cause as Error;
      throw new LandfallError("endpoint.proxy-failed", `the proxy ${proxy.name} is out of reach: ${message}`, {
        cause,
      });
    }
    return openTunnel(proxy, connection, host, port, signal);
  }

  #withinTime<T>(
    work: (signal: AbortSignal) => Promise<T>,
    expired: () => LandfallError,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    return withDeadline(work, { clock: this.#clock, ms: this.#timeoutMs, expired, signal });
  }
}

/** One try: whom to verify, where to dial, and what led there. */
interface Destination {
  readonly host: string;
  /** The address that was vetted or resolved; with a proxy that resolves names, the name. */
  readonly address: string;
  /** Where TCP goes. */
  readonly dialled: { readonly address: string; readonly port: number };
  readonly proxy: ProxyServer | undefined;
  readonly rule: ConnectToRule | undefined;
}

/** Not one byte of TLS leaves for an address that is not the one that was dialled. */
function requireReached({ remoteAddress }: Socket, address: string): void {
  const reached = parseIp(remoteAddress ?? "");
  const meant = parseIp(address);
  // A name, from a rule, has no address to compare with.
  if (meant === undefined || (reached !== undefined && formatIp(reached) === formatIp(meant))) return;
  throw new LandfallError(
    "endpoint.unvetted-address",
    `expected to reach ${address}, reached ${remoteAddress ?? "nobody"}`,
  );
}

const lookupWithSystem: AddressLookup = async (host) => {
  const found = await systemLookup(host, { all: true, verbatim: true });
  return found.map(({ address }) => address);
};
