import { once } from "node:events";
import tls from "node:tls";
import { afterEach, describe, expect, test, vi } from "vitest";
import { systemClock } from "../../../src/clock.ts";
import { CertificateAuthority } from "../../../src/emulator/certificate-authority.ts";
import type { DialTarget } from "../../../src/endpoint/dialer.ts";
import { TlsDialer, type TlsDialerOptions } from "../../../src/endpoint/tls-dialer.ts";
import { LandfallError } from "../../../src/errors.ts";
import { createLogger, type LogRecord } from "../../../src/log.ts";
import { FakeClock } from "../../../src/testing/fake-clock.ts";
import type { TlsIdentity } from "../../../src/tls-identity.ts";
import { startTcpPeer } from "../../support/tcp-peer.ts";
import { testDialer } from "../../support/test-dialer.ts";
import { startTlsPeer, type TlsPeer, testAuthority } from "../../support/tls-peer.ts";

const authority = await testAuthority();

const plain = await testDialer();

/** A dialer with options of its own; without any, one for all tests, because making TLS contexts takes time. */
function dialerWith(options?: Partial<TlsDialerOptions>): TlsDialer {
  const lookup = async (): Promise<string[]> => ["127.0.0.1"];
  const { certificatePem: trustBundle } = authority;
  return options ? new TlsDialer({ clock: systemClock, trustBundle, lookup, ...options }) : plain;
}

function targetOf(peer: { readonly port: number }, more: Partial<DialTarget> = {}): DialTarget {
  return { host: "peer.test", port: peer.port, proxy: "never", ...more };
}

async function identityFor(commonName: string): Promise<TlsIdentity> {
  const { chainPem, privateKeyPem } = await authority.issue({ commonName, usage: "client" });
  return {
    certificateChain: chainPem,
    secureContext: async (base) => tls.createSecureContext({ ...base, cert: chainPem, key: privateKeyPem }),
  };
}

const rejection = async (promise: Promise<unknown>): Promise<LandfallError> => {
  const error = await promise.then(
    () => new Error("it resolved"),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(LandfallError);
  return error as LandfallError;
};

afterEach(() => vi.unstubAllEnvs());

describe("TlsDialer", () => {
  test("verifies the host name while it dials a pinned address, and looks nothing up", async () => {
    await using peer = await startTlsPeer();
    const lookup = vi.fn();
    const { socket, path } = await dialerWith({ lookup }).dial(targetOf(peer, { addresses: ["127.0.0.1"] }));
    expect(socket.authorized).toBe(true);
    expect(path).toEqual({ address: "127.0.0.1", remoteAddress: "127.0.0.1", remotePort: peer.port });
    await vi.waitUntil(() => peer.secured.length === 1);
    expect((peer.secured[0] as unknown as { servername: string }).servername).toBe("peer.test");
    expect(lookup).not.toHaveBeenCalled();
    socket.destroy();
  });

  test("tries addresses one after the other, in the order given", async () => {
    await using peer = await startTlsPeer();
    const { socket, path } = await dialerWith({ lookup: async () => ["127.0.0.7", "127.0.0.1", "127.0.0.8"] }).dial(
      targetOf(peer),
    );
    expect(path.remoteAddress).toBe("127.0.0.1");
    socket.destroy();
  });

  test("names every address when none can be reached", async () => {
    await using peer = await startTlsPeer();
    const error = await rejection(dialerWith().dial(targetOf(peer, { addresses: ["127.0.0.7", "127.0.0.8"] })));
    expect(error.code).toBe("endpoint.connect-failed");
    expect(error.details.join()).toMatch(/127\.0\.0\.7.*ECONNREFUSED.*127\.0\.0\.8.*ECONNREFUSED/);
    expect(error.cause).toBeInstanceOf(AggregateError);
  });

  test("goes on to the next address when TLS with one fails", async () => {
    await using peer = await startTlsPeer();
    await using broken = await startTcpPeer((socket) => socket.destroy());
    const dialer = dialerWith({ connectTo: [{ fromPort: 1, toPort: broken.port, text: "" }] });
    await expect(dialer.dial({ ...targetOf(peer), port: 1 })).rejects.toMatchObject({ code: "endpoint.tls-failed" });
    await expect(dialer.dial(targetOf(peer))).resolves.toBeDefined();
  });

  test("a name that does not exist is said to be that", async () => {
    const cause = Object.assign(new Error("getaddrinfo ENOTFOUND"), { code: "ENOTFOUND" });
    const dialer = dialerWith({ lookup: async () => Promise.reject(cause) });
    const error = await rejection(dialer.dial(targetOf({ port: 1 })));
    expect(error).toMatchObject({ code: "endpoint.name-not-found", cause });
    expect(error.message).toContain("peer.test");
  });

  test("a name without an address is said to be that", async () => {
    const error = await rejection(dialerWith({ lookup: async () => [] }).dial(targetOf({ port: 1 })));
    expect(error.code).toBe("endpoint.name-not-found");
  });

  test("dials where a connect_to rule points, verifies the original name, and logs the rule", async () => {
    await using peer = await startTlsPeer();
    const records: LogRecord[] = [];
    const text = `peer.test:8883:127.0.0.1:${peer.port}`;
    const dialer = dialerWith({
      log: createLogger("info", (record) => records.push(record)),
      connectTo: [{ fromHost: "peer.test", fromPort: 8883, toHost: "127.0.0.1", toPort: peer.port, text }],
    });
    const { socket, path } = await dialer.dial({
      host: "peer.test",
      port: 8883,
      addresses: ["127.0.0.9"],
      proxy: "never",
    });
    expect(path).toEqual({ address: "127.0.0.1", remoteAddress: "127.0.0.1", remotePort: peer.port, connectTo: text });
    expect(records).toMatchObject([{ level: "info", fields: { connectTo: text } }]);
    socket.destroy();
  });

  test("keeps pinned addresses when a rule changes the port alone", async () => {
    await using peer = await startTlsPeer();
    const dialer = dialerWith({ connectTo: [{ toPort: peer.port, text: "::" }], lookup: async () => ["127.0.0.9"] });
    const { socket } = await dialer.dial({ host: "peer.test", port: 8883, addresses: ["127.0.0.1"], proxy: "never" });
    socket.destroy();
  });

  test("presents the identity's certificate, and makes its context once for all dials", async () => {
    await using peer = await startTlsPeer(undefined, { clientCa: authority.certificatePem });
    const identity = await identityFor("sensor-17");
    const secureContext = vi.spyOn(identity, "secureContext");
    const dialer = dialerWith();
    for (let round = 0; round < 2; round++) {
      const { socket } = await dialer.dial(targetOf(peer), { identity });
      await vi.waitUntil(() => peer.secured.length === round + 1);
      expect(peer.secured[round]?.getPeerCertificate().subject.CN).toBe("sensor-17");
      socket.destroy();
    }
    expect(secureContext).toHaveBeenCalledTimes(1);
    expect(secureContext).toHaveBeenCalledWith(expect.objectContaining({ minVersion: "TLSv1.2" }));
  });

  test("a key that cannot be used ends the dial with the key's own error, and may work the next time", async () => {
    await using peer = await startTlsPeer();
    const identity = await identityFor("sensor-17");
    const broken = new LandfallError("key.unusable", "the token is gone");
    vi.spyOn(identity, "secureContext").mockRejectedValueOnce(broken);
    const dialer = dialerWith();
    await expect(dialer.dial(targetOf(peer), { identity })).rejects.toBe(broken);
    await peer.idle();
    const { socket } = await dialer.dial(targetOf(peer), { identity });
    socket.destroy();
  });

  test("a key that did not sign ends the dial with the key's own error, and its context is made anew the next time", async () => {
    await using peer = await startTlsPeer();
    const stranger = await CertificateAuthority.create({ commonName: "Stranger" });
    await using untrusted = await startTlsPeer(undefined, { issuer: stranger });
    await using broken = await startTcpPeer((socket) => socket.destroy());
    const unsigned = new LandfallError("key.hardware-failed", "The hardware did not sign.");
    const causes: unknown[] = [];
    const identity: TlsIdentity = {
      ...(await identityFor("sensor-17")),
      signingFailure: (cause) => {
        causes.push(cause);
        return unsigned;
      },
    };
    const secureContext = vi.spyOn(identity, "secureContext");
    const dialer = dialerWith();
    const addresses = ["127.0.0.1", "127.0.0.1"];
    await expect(dialer.dial(targetOf(broken, { addresses }), { identity })).rejects.toBe(unsigned);
    expect(causes).toEqual([expect.any(Error)]);
    // A peer that is not trusted is never the key's doing.
    expect(await rejection(dialer.dial(targetOf(untrusted), { identity }))).toMatchObject({
      code: "endpoint.tls-untrusted",
    });
    const { socket } = await dialer.dial(targetOf(peer), { identity });
    socket.destroy();
    expect(causes).toHaveLength(1);
    expect(secureContext).toHaveBeenCalledTimes(2);
  });

  test("a handshake that fails for another reason than the key leaves its context as it is", async () => {
    await using peer = await startTlsPeer();
    await using broken = await startTcpPeer((socket) => socket.destroy());
    const identity: TlsIdentity = { ...(await identityFor("sensor-17")), signingFailure: () => undefined };
    const secureContext = vi.spyOn(identity, "secureContext");
    const dialer = dialerWith();
    expect((await rejection(dialer.dial(targetOf(broken), { identity }))).code).toBe("endpoint.tls-failed");
    const { socket } = await dialer.dial(targetOf(peer), { identity });
    socket.destroy();
    expect(secureContext).toHaveBeenCalledTimes(1);
  });

  describe("refuses a peer", () => {
    const refusal = async (peer: TlsPeer, options?: Partial<TlsDialerOptions>): Promise<LandfallError> => {
      const error = await rejection(dialerWith(options).dial(targetOf(peer)));
      expect(error.code).toBe("endpoint.tls-untrusted");
      await peer.idle();
      return error;
    };

    test("whose CA is unknown, naming it", async () => {
      const stranger = await CertificateAuthority.create({ commonName: "Inspecting box" });
      await using peer = await startTlsPeer(undefined, { issuer: stranger });
      const error = await refusal(peer);
      expect(error.message).toMatch(/^peer\.test presented a certificate for "peer\.test" issued by "Inspecting box"/);
      expect(error.message).toContain("UNABLE_TO_");
    });

    test("whose certificate is for another name", async () => {
      await using peer = await startTlsPeer(undefined, { names: ["other.test"] });
      expect((await refusal(peer)).message).toMatch(/"other\.test".*altnames/);
    });

    test("whose certificate has expired", async () => {
      await using peer = await startTlsPeer(undefined, { notAfter: new Date(Date.now() - 60_000) });
      expect((await refusal(peer)).message).toContain("expired");
    });

    test("also when the environment asks to trust everybody", async () => {
      vi.stubEnv("NODE_TLS_REJECT_UNAUTHORIZED", "0");
      await using peer = await startTlsPeer(undefined, { names: ["other.test"] });
      await refusal(peer);
    });

    test("of a private CA when there is no trust bundle", async () => {
      await using peer = await startTlsPeer();
      await refusal(peer, { trustBundle: undefined });
    });
  });

  test("a peer that cuts the handshake is not called untrusted", async () => {
    await using peer = await startTcpPeer((socket) => socket.end());
    expect((await rejection(dialerWith().dial(targetOf(peer)))).code).toBe("endpoint.tls-failed");
  });

  test("a peer that speaks no TLS is not called untrusted", async () => {
    await using peer = await startTcpPeer((socket) => socket.end("SSH-2.0-what\r\n"));
    expect((await rejection(dialerWith().dial(targetOf(peer)))).code).toBe("endpoint.tls-failed");
  });

  test("gives up on a silent address after the time-out, then on the next, and leaves nothing open", async () => {
    await using peer = await startTcpPeer();
    const clock = new FakeClock();
    const dialing = dialerWith({ clock, connectTimeoutMs: 15_000 }).dial(
      targetOf(peer, { addresses: ["127.0.0.1", "127.0.0.1"] }),
    );
    dialing.catch(() => {});
    for (let address = 1; address <= 2; address++) {
      await vi.waitUntil(() => peer.accepted.length === address);
      await clock.sleeping();
      await clock.advance(15_000);
    }
    expect((await rejection(dialing)).code).toBe("endpoint.connect-timeout");
    expect(clock.pending).toEqual([]);
    await Promise.all(peer.accepted.map((socket) => socket.closed || once(socket, "close")));
  });

  test("gives up on a name server that does not answer", async () => {
    const clock = new FakeClock();
    const dialing = dialerWith({ clock, lookup: () => new Promise(() => {}) }).dial(targetOf({ port: 1 }));
    dialing.catch(() => {});
    await clock.sleeping();
    await clock.advance(15_000);
    expect((await rejection(dialing)).code).toBe("endpoint.name-not-found");
  });

  test("an abort rejects with its reason and leaves nothing open, whatever is under way", async () => {
    const reason = new Error("enough");
    await using peer = await startTcpPeer();
    const dialer = dialerWith();

    await expect(dialer.dial(targetOf(peer), { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);

    const duringLookup = new AbortController();
    const looking = dialerWith({ lookup: () => new Promise(() => {}) }).dial(targetOf(peer), duringLookup);
    duringLookup.abort(reason);
    await expect(looking).rejects.toBe(reason);

    await using untouched = await startTcpPeer();
    const duringConnect = new AbortController();
    const connecting = dialer.dial(targetOf(untouched, { addresses: ["127.0.0.1"] }), duringConnect);
    connecting.catch(() => {});
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
    await new Promise((resolve) => process.nextTick(resolve)); // the connection is on its way, but not up
    duringConnect.abort(reason);
    await expect(connecting).rejects.toBe(reason);
    await vi.waitUntil(() => untouched.accepted[0]?.closed);

    const duringHandshake = new AbortController();
    const shaking = dialer.dial(targetOf(peer), duringHandshake);
    shaking.catch(() => {});
    await vi.waitUntil(() => peer.accepted.length === 1);
    duringHandshake.abort(reason);
    await expect(shaking).rejects.toBe(reason);
    await Promise.all(peer.accepted.map((socket) => socket.closed || once(socket, "close")));
  });
});
