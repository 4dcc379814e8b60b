import {
  CertificateAuthority,
  deriveDeviceKey,
  type EnrollmentOptions,
  type IssuedCertificate,
} from "../../src/emulator/index.ts";
import { type Identity, registrationId } from "./dps-conversation.ts";

const [key, groupKey, foreignKey] = [1, 2, 3].map((byte) => Buffer.alloc(32, byte).toString("base64")) as [
  string,
  string,
  string,
];

/** An enrollment, the device that belongs to it, and one that only says so. */
export interface Attestation {
  readonly enrollment: EnrollmentOptions;
  readonly device: Identity;
  readonly impostor: Identity;
}

async function certificates(): Promise<Readonly<Record<"leaf" | "chain", IssuedCertificate>> & { rootPem: string }> {
  const root = await CertificateAuthority.create({ commonName: "Plant root" });
  const line = await root.issueAuthority({ commonName: "Line 1" });
  const wanted = { commonName: registrationId, usage: "client" } as const;
  return { leaf: await root.issue(wanted), chain: await line.issue(wanted), rootPem: root.certificatePem };
}

/** One of each kind, by the name that tests show; making keys takes time, so one for many tests. */
export async function makeAttestations(): Promise<Readonly<Record<string, Attestation>>> {
  const [own, foreign] = [await certificates(), await certificates()];
  return {
    "symmetric key of the device": {
      enrollment: { registrationId, attestation: { method: "symmetric_key", primaryKey: key } },
      device: { key },
      impostor: { key: foreignKey },
    },
    "symmetric key of a group": {
      enrollment: { group: "line-1", attestation: { method: "symmetric_key", primaryKey: groupKey } },
      device: { key: deriveDeviceKey(groupKey, registrationId) },
      impostor: { key: groupKey },
    },
    "X.509 leaf": {
      enrollment: { registrationId, attestation: { method: "x509", certificate: own.leaf.certificatePem } },
      device: { certificate: own.leaf },
      impostor: { certificate: foreign.leaf },
    },
    "X.509 chain": {
      enrollment: { group: "plant", attestation: { method: "x509", certificate: own.rootPem } },
      device: { certificate: own.chain },
      impostor: { certificate: foreign.chain },
    },
  };
}

/** The names of {@link makeAttestations}. */
export const attestationNames = [
  "symmetric key of the device",
  "symmetric key of a group",
  "X.509 leaf",
  "X.509 chain",
];
