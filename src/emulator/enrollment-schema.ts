import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { isTable, typeShown } from "../config/fault.ts";
import { choice, flag, integer, list, text } from "../config/kinds.ts";
import {
  defaulting,
  type Entries,
  type Kind,
  optional,
  required,
  type Table,
  type Values,
  type Variants,
} from "../config/schema.ts";
import type { JsonObject } from "../json.ts";
import { isCallbackUrl } from "./dps/custom-allocation.ts";
import { isRegistrationId } from "./dps/registration-id.ts";
import { parseStorageKey } from "./dps/tpm/storage-key.ts";
import { table, tables } from "./entry-tables.ts";
import { isKey } from "./symmetric-key.ts";

const name = text("a text that is not empty", /./);

/** A text by a rule of its own; what was found is only told by its type, since it may be a key. */
function ruled(expects: string, isRight: (value: string) => boolean): Kind<string, string> {
  return {
    expects,
    read: (value, at) =>
      typeof value === "string" && isRight(value) ? value : at.fault({ expected: expects, found: typeShown(value) }),
  };
}

const key = ruled("base64 of 16 to 64 bytes", isKey);
const registrationId = ruled("a registration id: up to 128 letters, digits and - . _ :", isRegistrationId);

const object: Kind<JsonObject, JsonObject> = {
  expects: "a table",
  read: (value, at) =>
    isTable(value)
      ? (JSON.parse(JSON.stringify(value)) as JsonObject)
      : at.fault({ expected: "a table", found: typeShown(value) }),
};

const latenciesExpect = "a table of milliseconds, 0 or more, by name of hub";

const latencies: Kind<Readonly<Record<string, number>>, Readonly<Record<string, number>>> = {
  expects: latenciesExpect,
  read(value, at) {
    const isRight = isTable(value) && Object.values(value).every((ms) => typeof ms === "number" && ms >= 0);
    return isRight
      ? (value as Readonly<Record<string, number>>)
      : at.fault({ expected: latenciesExpect, found: typeShown(value) });
  },
};

const callbackUrl = ruled("an http: URL of this machine", isCallbackUrl);

const certificateExpects = "a PEM certificate, or the path of a file with one";

/** The PEM text, whether it stood in the file or in another one. */
const certificate: Kind<string, string> = {
  expects: certificateExpects,
  read(value, at) {
    if (typeof value !== "string") return at.fault({ expected: certificateExpects, found: typeShown(value) });
    try {
      const pem = value.includes("-----BEGIN")
        ? value
        : readFileSync(resolve(at.surroundings.baseDirectory, value), "utf8");
      return new X509Certificate(pem).toString();
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      const found = code === "ENOENT" ? "no such file" : `something that cannot be read as one (${code ?? "no code"})`;
      return at.fault({ expected: certificateExpects, found });
    }
  },
};

const storageKeyExpects = "base64 of a TPM2B_PUBLIC with an RSA key of 2048 bits";

/** As it comes from the TPM. */
const storageKey: Kind<string, string> = {
  expects: storageKeyExpects,
  read(value, at) {
    if (typeof value !== "string") return at.fault({ expected: storageKeyExpects, found: typeShown(value) });
    const parsed = parseStorageKey(value);
    return "name" in parsed ? value : at.fault(parsed);
  },
};

const groupAttestation = {
  node: "variants",
  tag: "method",
  need: "required",
  doc: "How devices prove themselves.",
  choices: {
    symmetric_key: {
      doc: "A key, or for a group the key that the members' keys are derived from. What is not given is generated.",
      entries: {
        primary_key: optional(key, "", "Base64 of 16 to 64 bytes."),
        secondary_key: optional(key, "", "As good as the primary key."),
      },
    },
    x509: {
      doc: "A certificate: the device's own, or for a group the authority that the members' certificates lead to.",
      entries: {
        certificate: required(certificate, "device.pem", "PEM, or the path of a PEM file."),
        secondary_certificate: optional(certificate, "next.pem", "As good as the first one."),
      },
    },
  },
} as const satisfies Variants;

const individualAttestation = {
  ...groupAttestation,
  choices: {
    ...groupAttestation.choices,
    tpm: {
      doc: "A TPM 2.0, over HTTPS.",
      entries: {
        endorsement_key: required(storageKey, "AToAAQ…", "The public part of its endorsement key."),
        storage_root_key: optional(storageKey, "ARoAAQ…", "For a device that sends none."),
      },
    },
  },
} as const satisfies Variants;

const common = {
  disabled: defaulting(flag, false, "Registrations are answered with the status disabled."),
  hubs: optional(
    list(name, 1),
    ["hub-a"],
    "Names or host names of the hubs that may be assigned. Default: all of them.",
  ),
  allocation: defaulting(
    choice(["hashed", "static", "lowest-latency", "custom"]),
    "hashed",
    "By the registration id, always the first hub, the nearest by latencies_ms, or as callback_url says.",
  ),
  latencies_ms: optional(latencies, { "hub-a": 20 }, "Milliseconds to each hub, by its name."),
  callback_url: optional(
    callbackUrl,
    "http://127.0.0.1:7071/api/allocate",
    "Asked for the hub where allocation is custom.",
  ),
  reprovisioning: defaulting(choice(["migrate", "reset", "never"]), "migrate", "What a later change of hub does."),
  initial_twin: table("What a device's twin begins with.", {
    desired: defaulting(object, {}, "Desired properties."),
    tags: defaulting(object, {}, "Tags, which devices never see."),
  }),
  payload: optional(object, {}, "Comes back to the device with its assignment."),
  failure: table("Makes every registration fail.", {
    error_code: required(integer(400_000, 599_999), 400_207, "The service's error code."),
    message: required(name, "Custom allocation failed.", "The service's message."),
  }),
} satisfies Entries;

const individual = {
  registration_id: required(registrationId, "sensor-17", "With certificates, also their common name."),
  device_id: optional(name, "boiler", "The device id at the hub. Default: the registration id."),
  attestation: individualAttestation,
  ...common,
} satisfies Entries;

const group = {
  name: required(name, "line-1", "Name of the group."),
  attestation: groupAttestation,
  ...common,
} satisfies Entries;

/** One `[[individual]]`. */
export type IndividualEntry = Values<typeof individual>;

/** One `[[group]]`. */
export type GroupEntry = Values<typeof group>;

/** What both have. */
export type EnrollmentEntry = Values<typeof common>;

/** The enrollment file as a whole. */
export const enrollmentSchema: Table = {
  node: "table",
  need: "required",
  doc: "Who may register.",
  entries: {
    individual: defaulting(tables(individual), [], "One device each."),
    group: defaulting(tables(group), [], "Any number of devices each."),
  },
};
