import { Secret } from "../secret.ts";
import { connectionStringExpects, parseConnectionString } from "./connection-string.ts";
import { endpointSettings, pathSettings } from "./endpoint-schema.ts";
import { file } from "./file-kind.ts";
import { pkcs11Uri, tpmUri } from "./hardware-uri.ts";
import { host } from "./host-kind.ts";
import { jsonPayload } from "./json-payload.ts";
import { choice, duration, flag, parsed, text } from "./kinds.ts";
import { mcuUri, orInMcu } from "./mcu-place.ts";
import { type Alternative, defaulting, optional, required } from "./schema.ts";
import { secret } from "./secret-source.ts";
import { parseSymmetricKey, symmetricKeyExpects, symmetricKeyTextOf } from "./symmetric-key-text.ts";
import { defaultTpmLocation, parseTpmLocation, tpmLocationExpects } from "./tpm-location.ts";

/** How bytes travel, to DPS as to the hub. */
export const transport = choice(["mqtt", "mqtt-ws"]);

/** How bytes travel to DPS. */
const dpsTransport = choice(["mqtt", "mqtt-ws", "https"]);

/** The rules of DPS. With X.509 the id is the common name of a certificate too, which ends at 64 characters. */
function registrationId(longest: number) {
  return text(
    `1 to ${longest} letters, digits and - . _ :, the first a letter or digit, the last a letter, digit or -`,
    new RegExp(`^(?=.{1,${longest}}$)[A-Za-z0-9](?:[A-Za-z0-9._:-]*[A-Za-z0-9-])?$`),
  );
}

const symmetricKey = orInMcu(
  secret({ expects: symmetricKeyExpects, parse: parseSymmetricKey, textOf: symmetricKeyTextOf }),
);

const password = secret({ expects: "a password", parse: (given) => ({ value: new Secret(given) }) });

/** The settings of a certificate with its key, the same for DPS and for a hub given by hand. */
const x509 = {
  identity_cert: optional(
    file({ isPrivate: false, hardware: [pkcs11Uri, mcuUri] }),
    "/var/lib/landfall/device.pem",
    "Certificate chain in PEM form, leaf first, every intermediate after it. Or the PKCS#11 URI of a certificate, or " +
      "`mcu:` for the chain that the MCU holds.",
  ),
  identity_pk: optional(
    file({ isPrivate: true, hardware: [pkcs11Uri, tpmUri, mcuUri] }),
    "/var/lib/landfall/device.key.pem",
    "Private key of the certificate, in PEM form. Or the URI of a key in a PKCS#11 token or a TPM, or `mcu:` for the one " +
      "in the MCU, which it never leaves.",
  ),
  identity_pk_password: optional(
    password,
    { env: "IDENTITY_PASSWORD" },
    "Password of an encrypted private key or of a key in a TPM, or PIN of the token.",
  ),
  identity_pkcs12: optional(
    file({ isPrivate: true }),
    "/var/lib/landfall/device.p12",
    "PKCS#12 file with certificate chain and private key, instead of the two PEM files.",
  ),
  identity_password: optional(password, { env: "IDENTITY_PASSWORD" }, "Password of the PKCS#12 file."),
};

const x509Forms: readonly Alternative[] = [
  { needs: ["identity_cert", "identity_pk"], allows: ["identity_pk_password"] },
  { needs: ["identity_pkcs12"], allows: ["identity_password"] },
];

const attestation = {
  node: "variants",
  tag: "method",
  need: "required",
  doc: "How the device proves to DPS who it is.",
  choices: {
    x509: {
      doc: "With a client certificate.",
      entries: {
        registration_id: optional(
          registrationId(64),
          "my-device",
          "Registration id. Left out, it is the common name of the certificate, which DPS requires to be the same.",
        ),
        ...x509,
      },
      alternatives: x509Forms,
    },
    symmetric_key: {
      doc: "With a key that DPS knows as well.",
      entries: {
        registration_id: required(registrationId(128), "my-device", "Registration id of the enrollment."),
        symmetric_key: required(
          symmetricKey,
          { uri: "file:///var/lib/landfall/device.key" },
          "Key of the enrollment, or of the enrollment group. `mcu:`: the MCU has it, and writes the tokens itself.",
        ),
        derive: defaulting(
          flag,
          false,
          "The key is the one of an enrollment group: derive the device's own key from it on the device. " +
            "A group key in the field opens every device of the group; rather store the derived key.",
        ),
      },
    },
    tpm: {
      doc: 'With a TPM 2.0, over transport = "https".',
      entries: {
        registration_id: optional(
          registrationId(128),
          "my-device",
          "Registration id of the enrollment. Left out, it is made from the TPM's endorsement key; " +
            "`landfall keys tpm` prints it.",
        ),
        tpm: defaulting(
          orInMcu(parsed(tpmLocationExpects, parseTpmLocation)),
          defaultTpmLocation,
          "Where the TPM is: a device of the kernel, the data channel of a software TPM, or `mcu:`, behind the MCU.",
        ),
        key_template: defaulting(
          choice(["tcg", "azure"]),
          "tcg",
          "How an endorsement key is created where the TPM has none at 0x81010001: by the profile that vendors issue " +
            "certificates for, or as Azure's own libraries do it. The two give different keys.",
        ),
        owner_password: optional(password, { env: "TPM_OWNER_PASSWORD" }, "Password of the TPM's owner hierarchy."),
        endorsement_password: optional(
          password,
          { env: "TPM_ENDORSEMENT_PASSWORD" },
          "Password of the TPM's endorsement hierarchy.",
        ),
      },
    },
  },
} as const;

const authentication = {
  node: "variants",
  tag: "method",
  need: "optional",
  doc: "How the device proves to the hub who it is.",
  choices: {
    sas: {
      doc: "With a key that the hub knows as well.",
      entries: {
        device_id_pk: required(
          symmetricKey,
          { uri: "file:///var/lib/landfall/device.key" },
          "Primary or secondary key of the device. `mcu:`: the MCU has it, and writes the tokens itself.",
        ),
      },
    },
    x509: { doc: "With a client certificate.", entries: x509, alternatives: x509Forms },
  },
} as const;

/** `[provisioning]`. */
export const provisioning = {
  node: "variants",
  tag: "source",
  need: "required",
  doc: "How the device finds its IoT hub.",
  choices: {
    dps: {
      doc: "The Device Provisioning Service assigns one.",
      entries: {
        id_scope: required(
          text('an id scope such as "0ne00000000"', /^[A-Za-z0-9_-]{1,64}$/),
          "0ne00000000",
          "Id scope of the DPS instance.",
        ),
        ...endpointSettings,
        transport: defaulting(
          dpsTransport,
          "mqtt",
          "How to reach DPS: MQTT on port 8883, or MQTT over WebSocket or HTTPS on port 443, which proxies can carry. " +
            "A TPM needs HTTPS.",
        ),
        payload: optional(
          jsonPayload,
          { site: "plant 7" },
          'Sent with the registration, for custom allocation. A file with a JSON object can be named as { uri = "file:///…" }.',
        ),
        always_reprovision_on_startup: defaulting(
          flag,
          false,
          "Ask DPS at every start, even when an assignment is stored.",
        ),
        timeout: defaulting(
          duration({ leastMs: 10_000, mostMs: 3_600_000 }),
          "5m",
          "Longest time for one registration; after it the agent tries again.",
        ),
        attestation,
      },
    },
    manual: {
      doc: "The hub is given here; DPS is not asked.",
      entries: {
        iothub_hostname: optional(host, "my-hub.azure-devices.net", "Host name of the hub."),
        device_id: optional(
          text(
            "1 to 128 letters, digits and - : . + % _ # * ? ! ( ) , = @ $ '",
            /^[A-Za-z0-9\-:.+%_#*?!(),=@$']{1,128}$/,
          ),
          "my-device",
          "Device id at the hub.",
        ),
        connection_string: optional(
          secret({ expects: connectionStringExpects, parse: parseConnectionString }),
          { uri: "file:///var/lib/landfall/connection-string" },
          "Connection string of a device with a symmetric key, instead of host name, device id and authentication.",
        ),
        ...pathSettings,
        authentication,
      },
      alternatives: [{ needs: ["iothub_hostname", "device_id", "authentication"] }, { needs: ["connection_string"] }],
    },
  },
} as const;
