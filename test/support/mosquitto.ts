import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { freePorts } from "./free-ports.ts";
import { systemPeer } from "./system-peer.ts";
import { testAuthority } from "./tls-peer.ts";

/** A Mosquitto with TLS on loopback: a broker that somebody else wrote. */
export interface Mosquitto extends AsyncDisposable {
  /** Where everybody is let in. */
  readonly port: number;
  /** Where only {@link operator} is let in. */
  readonly guardedPort: number;
  /** PEM of the CA that signed its certificate. */
  readonly caPem: string;
}

/** Who is let in at {@link Mosquitto.guardedPort}. */
export const operator = { name: "emulator", password: "p@ss:wörd/1" };

/** Starts Mosquitto for `names`; resolves when it takes connections. Rejects with what it said when it does not start. */
export async function startMosquitto(names: readonly string[]): Promise<Mosquitto> {
  const program = systemPeer("mosquitto");
  if (program === undefined) throw new Error("there is no mosquitto on this machine; see .ci/peers");
  const authority = await testAuthority();
  const { chainPem, privateKeyPem } = await authority.issue({
    commonName: "mosquitto",
    dnsNames: names,
    usage: "server",
  });
  const folder = await mkdtemp(join(tmpdir(), "landfall-mosquitto-"));
  const port = await freePorts(2);
  const guardedPort = port + 1;
  const file = (name: string): string => join(folder, name);
  await writeFile(file("ca.pem"), authority.certificatePem);
  await writeFile(file("server.pem"), chainPem);
  await writeFile(file("server.key"), privateKeyPem, { mode: 0o600 });
  const passwordProgram = systemPeer("mosquitto_passwd") ?? "mosquitto_passwd";
  await promisify(execFile)(passwordProgram, ["-b", "-c", file("passwords"), operator.name, operator.password]);
  const listener = (listenerPort: number): string[] => [
    `listener ${listenerPort} 127.0.0.1`,
    `cafile ${file("ca.pem")}`,
    `certfile ${file("server.pem")}`,
    `keyfile ${file("server.key")}`,
  ];
  await writeFile(
    file("mosquitto.conf"),
    [
      "per_listener_settings true",
      "persistence false",
      ...listener(port),
      "allow_anonymous true",
      ...listener(guardedPort),
      "allow_anonymous false",
      `password_file ${file("passwords")}`,
      // Started by root it would become another user, who may not read the key.
      ...(process.getuid?.() === 0 ? ["user root"] : []),
      "",
    ].join("\n"),
  );
  const child = spawn(program, ["-c", file("mosquitto.conf")], { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (said += chunk));
  const ended = once(child, "close");
  for (const each of [port, guardedPort]) await untilListening(each, ended, () => said);
  return {
    port,
    guardedPort,
    caPem: authority.certificatePem,
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await ended;
      await rm(folder, { recursive: true });
    },
  };
}

/** A program that does not say when it is ready can only be asked. */
async function untilListening(port: number, ended: Promise<unknown>, said: () => string): Promise<void> {
  let over = false;
  void ended.then(() => {
    over = true;
  });
  while (!(await accepts(port))) {
    if (over) throw new Error(`mosquitto ended: ${said()}`);
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    // A moment's pause between two tries, so that the program gets to start.
    socket.once("error", () => setTimeout(() => resolve(false), 20));
  });
}
