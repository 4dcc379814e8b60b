import type { AttachLine, Line } from "./line.ts";
import { openPseudoTerminal } from "./pseudo-terminal.ts";
import { openSocketLine } from "./socket-line.ts";

/** Where programs shall find a simulated MCU. */
export type LinePlace =
  /** A serial device of this machine; `link` is a name under which it comes back. */
  | { readonly kind: "terminal"; readonly maker?: "script" | "socat"; readonly link?: string | undefined }
  /** A Unix socket. */
  | { readonly kind: "unix"; readonly path: string }
  /** A TCP port; 0 is any free one. Default host `127.0.0.1`. */
  | { readonly kind: "tcp"; readonly port: number; readonly host?: string };

/**
 * Puts an MCU where programs find it: `openLine((stream) => mcu.attach(stream), { kind: "terminal" })`.
 * Rejects with `simulator.rejected`.
 */
export function openLine(attach: AttachLine, place: LinePlace): Promise<Line> {
  switch (place.kind) {
    case "terminal":
      return openPseudoTerminal(attach, place);
    case "unix":
      return openSocketLine(attach, { path: place.path });
    case "tcp":
      return openSocketLine(attach, { host: place.host ?? "127.0.0.1", port: place.port });
  }
}
