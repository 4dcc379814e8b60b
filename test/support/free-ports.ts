import { once } from "node:events";
import { createServer, type Server } from "node:net";

/**
 * Ports that no socket gets of which nobody cares where it is: below those that systems hand out by themselves. So a port
 * stays free while the program that it is for starts, or starts again.
 */
const [lowest, highest] = [12_000, 20_000];

/** The first of `count` consecutive ports of the loopback that are free. */
export async function freePorts(count: number): Promise<number> {
  for (;;) {
    const first = lowest + Math.floor(Math.random() * (highest - lowest - count));
    const servers: Server[] = [];
    try {
      for (let port = first; port < first + count; port++) {
        const server = createServer().listen(port, "127.0.0.1");
        servers.push(server);
        await once(server, "listening");
      }
      return first;
    } catch {
      // Somebody has one of them.
    } finally {
      await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
    }
  }
}
