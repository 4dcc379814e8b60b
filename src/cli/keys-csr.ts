import { inMcu } from "../config/mcu-place.ts";
import { LandfallError } from "../errors.ts";
import { certificateRequest, type RequestSigner } from "../keys/certificate-request.ts";
import { openRequestSigner, overDigests } from "../keys/open-request-signer.ts";
import { type ExitCode, type Invocation, type OptionSpec, textOption } from "./command.ts";
import { namedKey } from "./keys-place.ts";

/** The options of `landfall keys csr` beside those of the key's password and `--json`. */
export const requestOptions = {
  "common-name": {
    type: "string",
    value: "NAME",
    help: "csr: common name of the certificate, which DPS requires to be the registration id",
  },
} as const satisfies Record<string, OptionSpec>;

/** A common name ends at 64 characters (X.520, ub-common-name). */
const longestName = 64;

/** `landfall keys csr`: prints a certificate request. */
export async function printRequest(invocation: Invocation): Promise<ExitCode> {
  const { options, terminal, signal } = invocation;
  const commonName = textOption(options, "common-name") ?? "";
  if (commonName === "" || commonName.length > longestName) {
    throw new LandfallError(
      "cli.usage",
      `keys csr: expected --common-name of 1 to ${longestName} characters, got ${commonName.length}`,
    );
  }
  const { place, password } = await namedKey(invocation);
  await using signer = await (place === inMcu ? openMcuKey(invocation) : openRequestSigner(place, password));
  const request = await certificateRequest(commonName, signer, { signal });
  const result = { schema: "landfall.certificate-request/1", commonName, request };
  terminal.out.write(options.json === true ? `${JSON.stringify(result)}\n` : request);
  return 0;
}

/** Its public half is that of the certificate in the MCU. A port that goes away ends it: nobody waits for it to come back. */
async function openMcuKey(invocation: Invocation): Promise<RequestSigner> {
  const { openLink } = await import("./mcu/open-link.ts");
  const { McuDigestSigner } = await import("../keys/mcu/mcu-digest-signer.ts");
  const { whileUp } = await import("../serial/while-up.ts");
  const link = await openLink(invocation);
  try {
    return overDigests(await whileUp(link, invocation.signal, (signal) => McuDigestSigner.open(link, { signal })));
  } catch (error) {
    await link.close();
    throw error;
  }
}
