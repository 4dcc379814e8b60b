import { X509Certificate } from "node:crypto";
import { registrationIdOf } from "../attestation/tpm-attestation.ts";
import { systemClock } from "../clock.ts";
import { loadSettings } from "../config/load.ts";
import type { TpmSettings } from "../config/settings.ts";
import { defaultTpmLocation, parseTpmLocation, tpmLocationExpects } from "../config/tpm-location.ts";
import { describeCause, isLandfallError, LandfallError } from "../errors.ts";
import { openTpmIdentity } from "../keys/tpm/open-tpm-identity.ts";
import { type ExitCode, type Invocation, type OptionSpec, textOption } from "./command.ts";

/** The options of `landfall keys tpm` beside `--config` and `--json`. */
export const tpmOptions = {
  tpm: {
    type: "string",
    value: "LOCATION",
    help: `tpm: ${tpmLocationExpects.replaceAll('"', "")} (default: the configuration's, else ${defaultTpmLocation})`,
  },
  "key-template": {
    type: "string",
    value: "NAME",
    help: "tpm: how a missing key is created: tcg (the default) or azure",
  },
} as const satisfies Record<string, OptionSpec>;

/** `landfall keys tpm`: what an enrollment of this machine's TPM needs. Creates the keys where they are missing. */
export async function printTpmKeys(invocation: Invocation): Promise<ExitCode> {
  const { options, terminal, signal } = invocation;
  const settings = await settingsFor(invocation);
  await using identity = openTpmIdentity(settings, { clock: systemClock });
  const { endorsementKey, storageRootKey } = await identity.rootKeys({ signal });
  const certificate = pemOf(await identity.endorsementCertificate({ signal }), invocation);
  const found = {
    registrationId: settings.registrationId ?? registrationIdOf(endorsementKey),
    endorsementKey: endorsementKey.toString("base64"),
    storageRootKey: storageRootKey.toString("base64"),
    endorsementCertificate: certificate ?? null,
  };
  if (options.json === true) {
    terminal.out.write(`${JSON.stringify({ schema: "landfall.tpm-keys/1", ...found })}\n`);
    return 0;
  }
  const parts = [
    ["registration id", found.registrationId],
    ["endorsement key", found.endorsementKey],
    ["storage root key", found.storageRootKey],
    ["endorsement certificate", certificate ?? "none in this TPM"],
  ];
  terminal.out.write(`${parts.map(([name, value]) => `${name}\n${value}\n`).join("\n")}`);
  return 0;
}

/**
 * Flags stand over the configuration, which is not looked for when they name a TPM. A machine without configuration has
 * the usual device.
 */
async function settingsFor(invocation: Invocation): Promise<Omit<TpmSettings, "method">> {
  const { options } = invocation;
  const named = textOption(options, "tpm");
  const isAsked = named === undefined || options.config !== undefined;
  const configured = isAsked ? await configuredTpm(invocation) : undefined;
  const location = named ?? defaultTpmLocation;
  const tpm = named === undefined && configured ? configured.tpm : parseTpmLocation(location);
  if (tpm === undefined) {
    throw new LandfallError("cli.usage", `keys tpm: expected --tpm ${tpmLocationExpects}, got "${location}"`);
  }
  const keyTemplate = textOption(options, "key-template") ?? configured?.keyTemplate ?? "tcg";
  if (keyTemplate !== "tcg" && keyTemplate !== "azure") {
    throw new LandfallError("cli.usage", `keys tpm: expected --key-template tcg or azure, got "${keyTemplate}"`);
  }
  return { ...configured, tpm, keyTemplate };
}

/** A configuration that is not there, or is for another attestation, is of no use here unless it was named. */
async function configuredTpm({ options, env }: Invocation): Promise<TpmSettings | undefined> {
  const file = textOption(options, "config");
  try {
    const { provisioning } = (await loadSettings({ env, ...(file === undefined ? {} : { file }) })).settings;
    if (provisioning.source === "dps" && provisioning.attestation.method === "tpm") return provisioning.attestation;
  } catch (error) {
    if (file !== undefined || !isLandfallError(error) || error.code !== "config.not-found") throw error;
  }
  if (file === undefined) return undefined;
  throw new LandfallError("cli.usage", `keys tpm: ${file} has no [provisioning.attestation] with method = "tpm"`);
}

function pemOf(certificate: Uint8Array | undefined, { terminal }: Invocation): string | undefined {
  if (certificate === undefined) return undefined;
  try {
    return new X509Certificate(certificate).toString().trimEnd();
  } catch (error) {
    terminal.err.write(`the endorsement certificate in the TPM cannot be read: ${describeCause(error)}\n`);
    return undefined;
  }
}
