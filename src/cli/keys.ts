import { type Actions, optionsOf, runAction } from "./actions.ts";
import { type Command, configOption, jsonOption } from "./command.ts";
import { createdKeyOptions, printCreatedKey } from "./keys-create.ts";
import { printRequest, requestOptions } from "./keys-csr.ts";
import { deriveOptions, printDerivedKeys } from "./keys-derive.ts";
import { engineOptions, printBuiltEngine } from "./keys-engine.ts";
import { keyPasswordOptions } from "./keys-place.ts";
import { printTpmKeys, tpmOptions } from "./keys-tpm.ts";
import { mcuPortOptions } from "./mcu-port-options.ts";

const { port, baud } = mcuPortOptions;
const placeOfMcu = {
  port: { ...port, help: `csr mcu: ${port.help}` },
  baud: { ...baud, help: `csr mcu: ${baud.help}` },
};

const actions: Actions = {
  create: {
    operands: 1,
    options: { ...createdKeyOptions, ...keyPasswordOptions },
    load: async () => printCreatedKey,
  },
  csr: {
    operands: 1,
    options: { ...requestOptions, ...keyPasswordOptions, ...placeOfMcu, ...configOption },
    load: async () => printRequest,
  },
  derive: { operands: Number.POSITIVE_INFINITY, options: deriveOptions, load: async () => printDerivedKeys },
  engine: { operands: 0, options: engineOptions, load: async () => printBuiltEngine },
  tpm: { operands: 0, options: { ...configOption, ...tpmOptions }, load: async () => printTpmKeys },
};

/** `landfall keys`: what can be done with keys outside a running agent. */
export const keys: Command = {
  name: "keys",
  operands: "create KEY | csr KEY | derive ID… | engine | tpm",
  description:
    "create makes a private key where it will live, and prints its public half. KEY is a path, or the URI of a key in a " +
    "PKCS#11 token or a TPM, as identity_pk has it; in hardware the key never is anywhere else.\n" +
    "csr prints a PKCS#10 request for a certificate, signed with KEY, for whoever issues certificates. KEY may also be a " +
    "PKCS#12 file, or mcu: for the key that the MCU has a certificate of already.\n" +
    "derive prints the device key of each registration id, derived from an enrollment group's key. The group key comes " +
    "from a file, an environment variable or standard input, never from the command line, where every user of this " +
    "machine could see it.\n" +
    "engine builds and installs the part of OpenSSL that lets TLS use a key in a TPM; it takes a C compiler, once.\n" +
    "tpm prints what an enrollment of this machine's TPM needs: registration id, endorsement key and storage root key, and " +
    "the endorsement key's certificate where the TPM has one. Keys that the TPM does not have yet are created in it.",
  options: {
    ...optionsOf(actions),
    ...jsonOption(
      "landfall.created-key/1, landfall.certificate-request/1, landfall.derived-keys/1, landfall.key-engine/1, " +
        "landfall.tpm-keys/1",
    ),
  },
  maxPositionals: Number.POSITIVE_INFINITY,
  run: (invocation) => runAction("keys", actions, invocation),
};
