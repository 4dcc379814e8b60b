import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { hostsEntriesFor, parseHostsFile } from "../../../src/endpoint/hosts-file.ts";
import { formatNameServer, parseNameServer } from "../../../src/endpoint/name-server.ts";
import { parseResolvConf, resolvConfFile, systemNameServers, upstreamFile } from "../../../src/endpoint/resolv-conf.ts";

describe("a hosts file", () => {
  const text = [
    "127.0.0.1 localhost",
    "# 10.0.0.1 contoso.azure-devices-provisioning.net",
    "10.99.0.9\tOther CONTOSO.azure-devices-provisioning.net.  # by hand",
    "not-an-address contoso.azure-devices-provisioning.net",
    "127.1 contoso.azure-devices-provisioning.net",
    "FD00::5 contoso.azure-devices-provisioning.net\r",
    "10.99.0.8 x.contoso.azure-devices-provisioning.net",
  ].join("\n");

  test("gives the addresses of exactly one host, with their lines", () => {
    const entries = hostsEntriesFor(parseHostsFile(text, "/etc/hosts"), "contoso.azure-devices-provisioning.net.");
    expect(entries.map(({ file, line, address }) => [file, line, address])).toEqual([
      ["/etc/hosts", 3, "10.99.0.9"],
      ["/etc/hosts", 6, "fd00::5"],
    ]);
  });

  test("of any content is read", () => {
    fc.assert(fc.property(fc.string(), (any) => void parseHostsFile(any, "hosts")));
  });
});

describe("a resolver configuration", () => {
  test("lists name servers, search domains and options", () => {
    const conf = parseResolvConf(
      "# made by hand\nnameserver 10.0.0.4 # first\nnameserver fe80::1%eth0\nnameserver 10.0.0.4\nnameserver dns.example\n" +
        "search corp.example lab.example\noptions ndots:2 edns0\n",
    );
    expect(conf.nameServers.map(formatNameServer)).toEqual(["10.0.0.4:53", "[fe80::1%eth0]:53"]);
    expect(conf.search).toEqual(["corp.example", "lab.example"]);
    expect(conf.options).toEqual(["ndots:2", "edns0"]);
  });

  test("of any content is read", () => {
    fc.assert(fc.property(fc.string(), (any) => void parseResolvConf(any)));
  });

  const system = (files: Record<string, string>) => async (path: string) => {
    const text = files[path];
    if (text === undefined) throw new Error(`no ${path}`);
    return text;
  };

  test("gives the system's name servers", async () => {
    const files = {
      [resolvConfFile]: "nameserver 10.0.0.4\nnameserver 8.8.8.8\n",
      [upstreamFile]: "nameserver 9.9.9.9\n",
    };
    expect((await systemNameServers(system(files))).map(formatNameServer)).toEqual(["10.0.0.4:53", "8.8.8.8:53"]);
    expect(await systemNameServers(system({}))).toEqual([]);
  });

  test("gives the servers behind a stub as well, for the stub changes between them silently", async () => {
    const files = {
      [resolvConfFile]: "nameserver 127.0.0.53\n",
      [upstreamFile]: "nameserver 10.0.0.4\nnameserver 8.8.8.8\n",
    };
    expect((await systemNameServers(system(files))).map(formatNameServer)).toEqual([
      "127.0.0.53:53",
      "10.0.0.4:53",
      "8.8.8.8:53",
    ]);
  });
});

describe("a name server", () => {
  test.each([
    ["10.0.0.4", "10.0.0.4:53"],
    ["10.0.0.4:5353", "10.0.0.4:5353"],
    ["::1", "[::1]:53"],
    ["[::1]", "[::1]:53"],
    ["[FD00::1]:5353", "[fd00::1]:5353"],
    ["fe80::1%eth0", "[fe80::1%eth0]:53"],
  ])("%s is %s", (text, full) => {
    const server = parseNameServer(text);
    expect(server && formatNameServer(server)).toBe(full);
    expect(parseNameServer(full)).toEqual(server);
  });

  test.each(["dns.example", "10.0.0.4:0", "10.0.0.4:65536", "10.0.0.4:", "10.0.0:53", "", "[::1", "127.1"])(
    "%s is none",
    (text) => {
      expect(parseNameServer(text)).toBeUndefined();
    },
  );
});
