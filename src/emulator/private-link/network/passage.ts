import { connect, type Socket } from "node:net";
import type { PathOutcome } from "./path.ts";

/** What a {@link Passage} is told. */
export interface PassageOptions {
  readonly outcome: PathOutcome;
  /** Loopback port of the listener behind; undefined when there is none. */
  readonly upstreamPort: number | undefined;
  /** Called before any byte reaches the listener, with the client end of the connection to it. */
  readonly onForwarded: (upstream: Socket) => void;
  /** Called for bytes that came from the client, also for those that go nowhere. */
  readonly onReceived: (bytes: number) => void;
}

/** Does with a client's connection what its path does: hands bytes on, or lets it down in one of the known ways. */
export function passThrough(client: Socket, { outcome, upstreamPort, onForwarded, onReceived }: PassageOptions): void {
  client.on("error", () => {});
  client.on("data", (bytes) => onReceived(bytes.length));
  if (outcome === "carried" || outcome === "stranger") {
    if (upstreamPort === undefined) client.resetAndDestroy();
    else forward(client, upstreamPort, onForwarded);
    return;
  }
  client.once("end", () => client.end());
  if (outcome === "refused") client.resetAndDestroy();
  // A middlebox looks at the first bytes (the ClientHello) before it acts.
  if (outcome === "reset") client.once("data", () => client.resetAndDestroy());
  if (outcome === "closed") client.once("data", () => client.end());
}

function forward(client: Socket, port: number, onForwarded: (upstream: Socket) => void): void {
  const upstream = connect({ host: "127.0.0.1", port, allowHalfOpen: true });
  client.pause();
  upstream.once("connect", () => {
    onForwarded(upstream);
    client.pipe(upstream);
    upstream.pipe(client);
  });
  upstream.on("error", () => client.resetAndDestroy());
  client.on("error", () => upstream.resetAndDestroy());
  upstream.once("close", () => client.destroySoon());
  client.once("close", () => upstream.destroySoon());
}
