import { readFile } from "node:fs/promises";
import { systemClock } from "../../clock.ts";
import { describeCause, LandfallError } from "../../errors.ts";
import { type FirmwareUpdateResult, updateFirmware } from "../../serial/firmware/firmware-update.ts";
import { type FirmwareImage, imageVersionText, readImageFile } from "../../serial/firmware/image-file.ts";
import type { ExitCode, Invocation } from "../command.ts";
import { FlashProgress } from "./flash-progress.ts";
import { openLink } from "./open-link.ts";

/** `landfall mcu flash FILE`. */
export async function flash(invocation: Invocation): Promise<ExitCode> {
  const { options, positionals, terminal, signal } = invocation;
  const image = await readImage(positionals[1]);
  await using link = await openLink(invocation);
  const progress = new FlashProgress(terminal.err, systemClock);
  const startedAt = systemClock.elapsed();
  const waiting = (error: Error): void => progress.note(`waiting for the port: ${error.message}`);
  link.on("down", waiting);
  try {
    const result = await updateFirmware(link, image, {
      clock: systemClock,
      signal,
      allowDowngrade: options["allow-downgrade"] === true,
      onProgress: (each) => progress.tell(each),
    });
    progress.end();
    report(result, { image, seconds: (systemClock.elapsed() - startedAt) / 1000 }, invocation);
    return 0;
  } finally {
    progress.end();
    link.off("down", waiting);
  }
}

async function readImage(file: string | undefined): Promise<FirmwareImage> {
  if (file === undefined) throw new LandfallError("cli.usage", "mcu flash: expected the file of an image");
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (cause) {
    throw new LandfallError("firmware.unusable", `could not read ${file}: ${describeCause(cause)}`, { cause });
  }
  return readImageFile(bytes);
}

function report(
  { outcome, from }: FirmwareUpdateResult,
  { image, seconds }: { readonly image: FirmwareImage; readonly seconds: number },
  { options, terminal: { out } }: Invocation,
): void {
  const to = imageVersionText(image);
  if (options.json === true) {
    const result = { outcome, from, to, bytes: image.bytes.length, seconds: Number(seconds.toFixed(3)) };
    out.write(`${JSON.stringify({ schema: "landfall.mcu-flash/1", ...result })}\n`);
  } else if (outcome === "already-running") {
    out.write(`the MCU runs this image already: ${to}, confirmed\n`);
  } else {
    out.write(`updated${from === undefined ? "" : ` from ${from}`} to ${to} in ${seconds.toFixed(1)} s, confirmed\n`);
  }
}
