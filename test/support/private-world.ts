import { execFile } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { ScratchFolder } from "./scratch-folder.ts";

const run = promisify(execFile);
const relay = fileURLToPath(new URL("in-private-world.mjs", import.meta.url));

/** Gives a program a loopback and an /etc/hosts of its own; neither is seen outside. */
const enter = `ip link set lo up && mount --bind "$0" /etc/hosts && exec "$@"`;

/** The ways into new namespaces of network and mounts, by who is allowed to take them. */
const ways: readonly (readonly string[])[] = [
  ["unshare", "--net", "--mount"],
  ["unshare", "--map-root-user", "--user", "--net", "--mount"],
  ["sudo", "--non-interactive", "--preserve-env", "unshare", "--net", "--mount"],
];

let found: Promise<readonly string[] | undefined> | undefined;

/** The way that is open on this machine; `undefined` when there is none. */
function wayIn(): Promise<readonly string[] | undefined> {
  found ??= (async () => {
    for (const [command = "", ...args] of ways) {
      try {
        await run(command, [...args, "sh", "-c", enter, "/etc/hosts", "true"]);
        return [command, ...args];
      } catch {} // the next one, then
    }
    return undefined;
  })();
  return found;
}

/** Whether a program can be given names of its own here. It needs to be root, or unprivileged user namespaces. */
export async function canHavePrivateWorld(): Promise<boolean> {
  return (await wayIn()) !== undefined;
}

/** A way to reach ports of this machine under real names and on the ports that go with them. */
export interface PrivateWorld extends AsyncDisposable {
  /** The command that runs `program` inside, with the same environment and standard streams. */
  command(program: readonly string[]): readonly string[];
}

/**
 * Opens a world where every one of `names` is 127.0.0.1, and each port of `doors` leads to the port beside it outside.
 * Clients that put a port of their own choice behind a name, such as 443, can only be tested in one.
 */
export async function openPrivateWorld(
  scratch: ScratchFolder,
  names: readonly string[],
  doors: Readonly<Record<number, number>>,
): Promise<PrivateWorld> {
  const way = await wayIn();
  if (way === undefined) throw new Error("nobody may have names of his own on this machine");
  const label = `world-${worlds++}`;
  const hosts = await scratch.write(
    `${label}-hosts`,
    `${await readFile("/etc/hosts", "utf8")}\n127.0.0.1 localhost ${names.join(" ")}\n`,
    0o644,
  );
  const opened = await Promise.all(
    Object.entries(doors).map(async ([port, target]) => {
      const path = join(scratch.path, `${label}-${port}`);
      return { port, path, close: await openDoor(path, target) };
    }),
  );
  const paths = JSON.stringify(Object.fromEntries(opened.map(({ port, path }) => [port, path])));
  return {
    command: (program) => [...way, "sh", "-c", enter, hosts, process.execPath, relay, paths, ...program],
    [Symbol.asyncDispose]: async () => {
      await Promise.all(opened.map(({ close }) => close()));
    },
  };
}

let worlds = 0;

/** Opens a Unix socket, which network namespaces do not part, that leads to a TCP port of this machine; gives its end. */
async function openDoor(path: string, port: number): Promise<() => Promise<void>> {
  const sockets = new Set<Socket>();
  const server = createServer((inside) => {
    const outside = connect(port, "127.0.0.1");
    for (const [one, other] of [
      [inside, outside],
      [outside, inside],
    ] as const) {
      sockets.add(one);
      one.pipe(other);
      one.on("error", () => other.destroy());
      one.once("close", () => {
        sockets.delete(one);
        other.destroy();
      });
    }
  });
  await once(server.listen(path), "listening");
  return async () => {
    const closed = once(server, "close");
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  };
}
