import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { systemClock } from "../../../src/clock.ts";
import { parseProxy } from "../../../src/endpoint/proxy.ts";
import { TlsDialer, type TlsDialerOptions } from "../../../src/endpoint/tls-dialer.ts";
import type { LandfallError } from "../../../src/errors.ts";
import { Secret } from "../../../src/secret.ts";
import { startHttpProxy, startSocksProxy } from "../../support/proxy-peer.ts";
import { startTcpPeer } from "../../support/tcp-peer.ts";
import { startTlsPeer, testTrust } from "../../support/tls-peer.ts";

const trustBundle = await testTrust();
const password = "p@ss:word/€";

function dialerThrough(proxy: string, options: Partial<TlsDialerOptions> = {}): TlsDialer {
  const lookup = async (): Promise<string[]> => ["127.0.0.1"];
  return new TlsDialer({ clock: systemClock, trustBundle, lookup, proxy: new Secret(proxy), ...options });
}

const credentials = `jane:${encodeURIComponent(password)}`;
const noLookup = async (host: string): Promise<string[]> => {
  if (host !== "localhost") throw new Error(`looked ${host} up`);
  return ["127.0.0.1"];
};

describe("a proxy setting", () => {
  test("is read with its credentials, which its name does not show", () => {
    const proxy = parseProxy(new Secret(`http://${credentials}@proxy.test:3128`));
    expect(proxy).toMatchObject({ protocol: "http", host: "proxy.test", port: 3128, name: "http://proxy.test:3128" });
    expect(proxy.credentials?.user).toBe("jane");
    expect(proxy.credentials?.password.reveal()).toBe(password);
  });

  test.each([
    ["http://proxy.test", 80],
    ["https://proxy.test", 443],
    ["socks5://proxy.test", 1080],
    ["socks5h://[::1]", 1080],
  ])("%s has its usual port", (text, port) => {
    expect(parseProxy(new Secret(text)).port).toBe(port);
  });

  test.each(["proxy.test:3128", "ftp://jane:hunter2@proxy.test", "jane:hunter2@proxy", "http://a:hunter2%@b", ""])(
    "%j is refused, and the message does not repeat it",
    (text) => {
      const refuse = (): unknown => parseProxy(new Secret(text));
      expect(refuse).toThrowError(expect.objectContaining({ code: "endpoint.proxy-failed" }));
      expect(refuse).not.toThrowError(/hunter2/);
    },
  );
});

describe.each([
  { kind: "http", start: startHttpProxy },
  { kind: "socks5h", start: startSocksProxy },
])("a connection through a proxy of the kind $kind", ({ kind, start }) => {
  test("is verified end to end for the host, whose name the proxy resolves", async () => {
    await using peer = await startTlsPeer();
    await using proxy = await start({ user: "jane", password });
    const dialer = dialerThrough(`${kind}://${credentials}@localhost:${proxy.port}`, { lookup: noLookup });
    const { socket, path } = await dialer.dial({ host: "peer.test", port: peer.port, proxy: "allowed" });
    expect(socket.authorized).toBe(true);
    expect(proxy.asked).toEqual([`peer.test:${peer.port}`]);
    expect(path).toEqual({
      address: "peer.test",
      remoteAddress: "127.0.0.1",
      remotePort: proxy.port,
      proxy: `${kind}://localhost:${proxy.port}`,
    });
    socket.destroy();
    await peer.idle();
  });

  test("goes to the pinned address when there is one", async () => {
    await using peer = await startTlsPeer();
    await using proxy = await start();
    const target = { host: "peer.test", port: peer.port, addresses: ["127.0.0.1"], proxy: "allowed" } as const;
    const { socket } = await dialerThrough(`${kind}://127.0.0.1:${proxy.port}`).dial(target);
    expect(proxy.asked).toEqual([`127.0.0.1:${peer.port}`]);
    socket.destroy();
  });

  test("is not made for a target that must not use one, or that is exempt", async () => {
    await using peer = await startTlsPeer();
    await using proxy = await start();
    const text = `${kind}://127.0.0.1:${proxy.port}`;
    const direct = await dialerThrough(text).dial({ host: "peer.test", port: peer.port, proxy: "never" });
    const exempt = dialerThrough(text, { noProxy: [".test"] });
    const { socket, path } = await exempt.dial({ host: "peer.test", port: peer.port, proxy: "allowed" });
    expect(proxy.asked).toEqual([]);
    expect(path.proxy).toBeUndefined();
    direct.socket.destroy();
    socket.destroy();
  });

  test("fails with a clear error when the credentials are wrong, and shows them nowhere", async () => {
    await using proxy = await start({ user: "jane", password: "another" });
    const dialing = dialerThrough(`${kind}://${credentials}@127.0.0.1:${proxy.port}`).dial({
      host: "peer.test",
      port: 1,
      proxy: "allowed",
    });
    const error = await dialing.catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "endpoint.proxy-failed" });
    expect(inspect(error, { depth: null })).not.toContain(password);
    expect(inspect(error, { depth: null })).not.toContain(encodeURIComponent(password));
  });

  test("fails with a clear error when the proxy is out of reach", async () => {
    const proxy = await start();
    await proxy[Symbol.asyncDispose]();
    const dialing = dialerThrough(`${kind}://127.0.0.1:${proxy.port}`).dial({
      host: "peer.test",
      port: 1,
      proxy: "allowed",
    });
    await expect(dialing).rejects.toThrowError(
      expect.objectContaining({ code: "endpoint.proxy-failed", message: expect.stringContaining("ECONNREFUSED") }),
    );
  });

  test("ends at once when it is aborted", async () => {
    await using silent = await startTcpPeer();
    const reason = new Error("enough");
    const abort = new AbortController();
    const dialing = dialerThrough(`${kind}://127.0.0.1:${silent.port}`).dial(
      { host: "peer.test", port: 1, proxy: "allowed" },
      abort,
    );
    dialing.catch(() => {});
    await expect.poll(() => silent.accepted.length).toBe(1);
    abort.abort(reason);
    await expect(dialing).rejects.toBe(reason);
    await expect.poll(() => silent.accepted[0]?.closed).toBe(true);
  });
});

describe("an HTTPS proxy", () => {
  test("is verified for its own name before it gets the credentials", async () => {
    await using peer = await startTlsPeer();
    await using proxy = await startHttpProxy({ user: "jane", password, tlsName: "proxy.test" });
    const target = { host: "peer.test", port: peer.port, proxy: "allowed" } as const;
    const { socket } = await dialerThrough(`https://${credentials}@proxy.test:${proxy.port}`).dial(target);
    expect(socket.authorized).toBe(true);
    expect(proxy.asked).toEqual([`peer.test:${peer.port}`]);
    socket.destroy();

    const misnamed = dialerThrough(`https://${credentials}@other.test:${proxy.port}`).dial(target);
    await expect(misnamed).rejects.toThrowError(
      expect.objectContaining({
        code: "endpoint.proxy-failed",
        cause: expect.objectContaining({ code: "endpoint.tls-untrusted" }),
      }),
    );
    expect(proxy.asked).toHaveLength(1);
  });
});

describe("an HTTP proxy", () => {
  test.each([
    [403, "does not allow"],
    [407, "credentials"],
    [502, "could not reach"],
    [418, "refused"],
  ])("that answers %i has the status and its meaning in the error", async (refuseWith, meaning) => {
    await using proxy = await startHttpProxy({ refuseWith });
    const dialing = dialerThrough(`http://127.0.0.1:${proxy.port}`).dial({
      host: "peer.test",
      port: 1,
      proxy: "allowed",
    });
    const error = (await dialing.catch((reason: unknown) => reason)) as LandfallError;
    expect(error).toMatchObject({ code: "endpoint.proxy-failed", service: { status: refuseWith } });
    expect(error.message).toContain(meaning);
  });
});

describe("a proxy of the kind socks5", () => {
  test("gets an address, because names are resolved here", async () => {
    await using peer = await startTlsPeer();
    await using proxy = await startSocksProxy();
    const dialer = dialerThrough(`socks5://127.0.0.1:${proxy.port}`);
    const { socket } = await dialer.dial({ host: "peer.test", port: peer.port, proxy: "allowed" });
    expect(proxy.asked).toEqual([`127.0.0.1:${peer.port}`]);
    socket.destroy();
  });
});

describe("a connect_to rule with a proxy", () => {
  test("changes what the proxy is asked for", async () => {
    await using peer = await startTlsPeer();
    await using proxy = await startHttpProxy();
    const connectTo = [{ fromHost: "peer.test", toHost: "tunnel.test", text: "peer.test::tunnel.test:" }];
    const dialer = dialerThrough(`http://127.0.0.1:${proxy.port}`, { connectTo });
    const { socket } = await dialer.dial({ host: "peer.test", port: peer.port, proxy: "allowed" });
    expect(proxy.asked).toEqual([`tunnel.test:${peer.port}`]);
    socket.destroy();
  });
});
