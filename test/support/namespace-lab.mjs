// Runs inside network namespaces of its own (see namespace-lab.ts): a cloud with real addresses, a device behind a veth pair, a
// name server on port 53 and a packet filter between them. Takes orders as lines of JSON, and answers each with one.
import { execFileSync, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { Emulator, Estate } from "../../dist/src/emulator/index.js";
import { NameServer } from "../../dist/src/emulator/private-link/dns/name-server.js";
import { createResponder } from "../../dist/src/emulator/private-link/dns/responder.js";

const [, , directory, program] = process.argv;
const resolver = "168.63.129.16";
const device = `landfall-device-${process.pid}`;
const run = (command, ...args) => execFileSync(command, args, { stdio: ["ignore", "pipe", "pipe"] });
const ip = (line) => run("ip", ...line.split(" "));

const estate = new Estate();
const dps = estate.create("dps", "mydps", { idScope: "0ne00000001" });
const hub = estate.create("hub", "myhub");
const network = estate.network("plant");
for (const resource of [dps, hub]) estate.connect(resource, network);

// The tables of mounts and namespaces are this process's own, so everything vanishes with it.
run("mount", "-t", "tmpfs", "tmpfs", "/run");
writeFileSync(`${directory}/resolv.conf`, `nameserver ${resolver}\n`);
run("mount", "--bind", `${directory}/resolv.conf`, "/etc/resolv.conf");
ip("link set lo up");
ip(`netns add ${device}`);
ip(`link add cloud type veth peer name device netns ${device}`);
ip("addr add 10.20.0.1/24 dev cloud");
ip("link set cloud up");
ip(`-n ${device} link set lo up`);
ip(`-n ${device} addr add 10.20.0.4/24 dev device`);
ip(`-n ${device} link set device up`);
ip(`-n ${device} route add default via 10.20.0.1`);
const owned = [
  resolver,
  ...estate.endpoints.flatMap(({ addresses }) => addresses),
  ...estate.hosts.map(({ host }) => host.publicAddress),
  ...estate.globalHosts.map(({ publicAddress }) => publicAddress),
];
for (const address of owned) ip(`addr add ${address}/32 dev lo`);

const emulator = await Emulator.start({
  host: "0.0.0.0",
  mqttPort: 8883,
  webSocketPort: 443,
  idScope: dps.idScope,
  hubs: [hub.host().name],
  assigningPolls: 0,
});
const view = (name) => ({ served: name === "internet" ? [] : network.links, internet: estate.internet });
const answer = (settings) => createResponder(settings, { view, hosts: () => [] });
const server = await NameServer.open(answer({}), { host: resolver, port: 53 });

/** Runs landfall as the device, to its end. */
function landfall(args) {
  return new Promise((resolve) => {
    const child = spawn("ip", ["netns", "exec", device, process.execPath, program, ...args], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, NO_COLOR: "1" },
    });
    const said = { out: "", err: "" };
    child.stdout.on("data", (bytes) => {
      said.out += bytes;
    });
    child.stderr.on("data", (bytes) => {
      said.err += bytes;
    });
    child.on("close", (code) => resolve({ code, ...said }));
  });
}

const orders = {
  /** Puts the packet filter's rules in the place of those before. */
  filter({ rules }) {
    const chain = ["type filter hook input priority 0;", ...rules].join("\n");
    writeFileSync(`${directory}/rules.nft`, `flush ruleset\ntable inet lab {\nchain input {\n${chain}\n}\n}\n`);
    run("nft", "-f", `${directory}/rules.nft`);
  },
  names({ settings }) {
    server.respondWith(answer(settings));
  },
  record({ address }) {
    const { zone, privatelinkName } = dps.host();
    if (address === null) estate.zone(zone).remove(privatelinkName);
    else estate.zone(zone).set(privatelinkName, { a: [address] });
  },
  /** The device's routing table has nothing for an address. */
  removeRoute({ address }) {
    ip(`-n ${device} route add throw ${address}/32`);
  },
  landfall: ({ args }) => landfall(args),
};

const say = (result) => process.stdout.write(`${JSON.stringify(result ?? {})}\n`);
const { primaryKey } = emulator.dps.enroll({ registrationId: "press-0001", attestation: { method: "symmetric_key" } });
say({ primaryKey, caFile: emulator.ready.caFile, address: estate.endpoints[0].addressOf() });
for await (const line of createInterface({ input: process.stdin })) {
  const { order, ...rest } = JSON.parse(line);
  say(await orders[order](rest));
}
await emulator.close();
await server.close();
