import { isLandfallError } from "../../errors.ts";
import { DevicePort } from "./device-port.ts";
import type { DeviceProcessNews } from "./device-process-news.ts";

/*
 * A process that does nothing but pass on what comes from a serial device and what goes to it. Arguments: path, bits per
 * second. It ends with the device, or with whoever started it.
 */

const [path = "", baudRate = ""] = process.argv.slice(-2);

function say(news: DeviceProcessNews, then: () => void = () => {}): void {
  process.send?.(news, undefined, undefined, then);
}

function end(code: number): void {
  process.exit(code);
}

// Ctrl-C reaches every process of a terminal; the one that started this one says when the port is not needed any more.
process.on("SIGINT", () => {});

async function passOn(): Promise<void> {
  const device = await new DevicePort(path, Number(baudRate)).open();
  device.on("error", ({ message }) => say({ kind: "failed", code: "serial.unplugged", message }, () => end(1)));
  device.on("close", () => end(1));
  process.stdin.on("end", () => end(0));
  process.stdout.on("error", () => end(0));
  say({ kind: "open" });
  process.stdin.pipe(device);
  device.pipe(process.stdout);
}

passOn().catch((error: unknown) => {
  const code = isLandfallError(error) ? error.code : "serial.port-failed";
  say({ kind: "failed", code, message: error instanceof Error ? error.message : String(error) }, () => end(1));
});
