import type { Duplex } from "node:stream";
import type { Port } from "../../src/serial/port.ts";
import { FaultyLink, type FaultyLinkOptions } from "../../src/testing/faulty-link.ts";

/** A port whose line is as bad as a test wants it, whatever is at its other end. */
export function faultyPort(port: Port, quality: FaultyLinkOptions): Port {
  return {
    name: `${port.name} (faulty)`,
    async open(options) {
      const stream = await port.open(options);
      const link = new FaultyLink(quality);
      join(link.far, stream);
      return link.near;
    },
  };
}

function join(one: Duplex, other: Duplex): void {
  for (const [from, to] of [
    [one, other],
    [other, one],
  ] as const) {
    from.on("error", () => {});
    from.once("close", () => to.destroy());
    from.pipe(to);
  }
}
