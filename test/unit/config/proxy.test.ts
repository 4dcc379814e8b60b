import { describe, expect, test } from "vitest";
import { parseProxyAddress, proxyWithoutCredentials } from "../../../src/config/proxy-address.ts";
import { proxyFromEnvironment } from "../../../src/config/proxy-environment.ts";
import { Secret } from "../../../src/secret.ts";

describe("the address of a proxy", () => {
  test.each([
    ["http://proxy:3128", "http://proxy:3128"],
    ["https://u:p@proxy.example/", "https://u:p@proxy.example/"],
    ["socks5://127.0.0.1:1080", "socks5://127.0.0.1:1080"],
    ["socks5h://u:p@[::1]:1080", "socks5h://u:p@[::1]:1080"],
    ["proxy.example:3128", "http://proxy.example:3128"],
  ])("%s is read as %s", (text, address) => {
    const result = parseProxyAddress(text);
    expect("value" in result && result.value.reveal()).toBe(address);
  });

  test.each([
    "",
    "http://",
    "ftp://u:hunter2@proxy",
    "socks4://proxy:1080",
    "http://u:hunter2@proxy/path",
    "http://u:hunter2@proxy?x",
    "http://u:hunter2@:80",
    "http://u:hunter2%zz@proxy",
    "a b",
  ])("%j is refused without a word of what it holds", (text) => {
    const result = parseProxyAddress(text);
    expect(result).toHaveProperty("problem");
    expect(JSON.stringify(result)).not.toContain("hunter2");
  });

  test("is shown without credentials", () => {
    expect(proxyWithoutCredentials(new Secret("http://user:hunter2@proxy.example:3128"))).toBe(
      "http://proxy.example:3128",
    );
    expect(proxyWithoutCredentials(new Secret("socks5h://user:hunter2@[::1]:1080"))).toBe("socks5h://[::1]:1080");
  });
});

describe("proxies of the environment", () => {
  const lookUp = (env: Record<string, string>) => {
    const { proxy, proxyFrom, noProxy } = proxyFromEnvironment(env);
    return { proxy: proxy?.reveal(), proxyFrom, noProxy };
  };

  test("come from https_proxy first, then all_proxy, lower case first", () => {
    const all = { https_proxy: "http://a", HTTPS_PROXY: "http://b", all_proxy: "http://c", ALL_PROXY: "http://d" };
    expect(lookUp(all)).toMatchObject({ proxy: "http://a", proxyFrom: "https_proxy" });
    expect(lookUp({ ...all, https_proxy: "" })).toMatchObject({ proxy: "http://b", proxyFrom: "HTTPS_PROXY" });
    expect(lookUp({ all_proxy: "http://c", ALL_PROXY: "http://d" })).toMatchObject({ proxyFrom: "all_proxy" });
    expect(lookUp({ ALL_PROXY: "socks5h://d" })).toMatchObject({ proxy: "socks5h://d", proxyFrom: "ALL_PROXY" });
  });

  test("do not come from http_proxy, which is for plain connections", () => {
    expect(lookUp({ http_proxy: "http://a", HTTP_PROXY: "http://b" })).toEqual({});
  });

  test("have exceptions, apart by commas or blanks, lower case first", () => {
    expect(lookUp({ no_proxy: ".a.net, b ,,10.0.0.0/8", NO_PROXY: "c" }).noProxy).toEqual([
      ".a.net",
      "b",
      "10.0.0.0/8",
    ]);
    expect(lookUp({ no_proxy: "", NO_PROXY: "c" }).noProxy).toEqual(["c"]);
  });

  test("that are none are a fault that names the variable and keeps the rest to itself", () => {
    const { proxy, fault } = proxyFromEnvironment({ https_proxy: "gopher://u:hunter2@proxy" });
    expect(proxy).toBeUndefined();
    expect(fault?.path).toContain("https_proxy");
    expect(JSON.stringify(fault)).not.toContain("hunter2");
  });
});
