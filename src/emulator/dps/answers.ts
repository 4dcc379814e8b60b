import type { X509Certificate } from "node:crypto";
import type { JsonObject } from "../../json.ts";
import { thumbprintsOf } from "../certificate-chain.ts";
import { bytesFrom, type Random, uuidFrom } from "../randomness.ts";

/** An answer of DPS, whatever carries it. */
export interface DpsAnswer {
  /** HTTP-class status. */
  readonly status: number;
  /** Seconds the client is to wait; absent when it is not told. */
  readonly retryAfterSeconds?: number;
  /** The body as text; mostly JSON. */
  readonly body: string;
}

/** A moment as DPS writes it: seven fractional digits, of which the last four are always zero here. */
export function dpsDate(ms: number): string {
  return new Date(ms).toISOString().replace("Z", "0000Z");
}

/** An operation id in the shape of real ones: `4.`, 16 hexadecimal digits, a UUID. */
export function newOperationId(random: Random): string {
  return `4.${bytesFrom(random, 8).toString("hex")}.${uuidFrom(random)}`;
}

/** An error that is answered at once. The status is the class of the code: 401002 is a 401. */
export function errorAnswer(errorCode: number, message: string, nowMs: number, random: Random): DpsAnswer {
  const body = { errorCode, trackingId: uuidFrom(random), message, timestampUtc: dpsDate(nowMs) };
  return { status: Math.floor(errorCode / 1000), body: JSON.stringify(body) };
}

/**
 * Challenges a device to sign with the key in an activation blob. What makes it a challenge to the clients in the field is
 * the key; one of them also wants its name, and no member `status`.
 */
export function challengeAnswer(activationBlob: Buffer, keyName: string): DpsAnswer {
  const body = { message: "Unauthorized", keyName, authenticationKey: activationBlob.toString("base64") };
  return { status: 401, body: JSON.stringify(body) };
}

/** The facts of a certificate as DPS reports them. */
export function certificateInfo(certificate: X509Certificate): JsonObject {
  const { sha1, sha256 } = thumbprintsOf(certificate);
  return {
    subjectName: oneLine(certificate.subject),
    sha1Thumbprint: sha1,
    sha256Thumbprint: sha256,
    issuerName: oneLine(certificate.issuer),
    notBeforeUtc: dpsDate(Date.parse(certificate.validFrom)),
    notAfterUtc: dpsDate(Date.parse(certificate.validTo)),
    serialNumber: certificate.serialNumber,
    version: 3,
  };
}

function oneLine(name: string): string {
  return name.replaceAll("\n", ", ");
}
