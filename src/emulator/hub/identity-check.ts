import type { X509Certificate } from "node:crypto";
import { commonNameOf, isValidAt, judgePath, pathsToAnchors, thumbprintsOf } from "../certificate-chain.ts";
import { judgeSasToken, parseSasToken } from "../sas.ts";
import type { Device } from "./device.ts";
import { hubHostNames } from "./hub-names.ts";

/** What a device shows at CONNECT. */
export interface HubEvidence {
  /** The password as text, when there is one. */
  readonly sasToken: string | undefined;
  readonly certificates: readonly X509Certificate[];
  /** The names under which this hub may be meant in a token. */
  readonly hosts: readonly string[];
  readonly nowMs: number;
}

/** The hub's judgement: until when the device may stay, or why it is refused (for the log; the device only sees CONNACK 5). */
export type IdentityVerdict =
  | { readonly ok: true; readonly expiresAtMs?: number }
  | { readonly ok: false; readonly why: string };

/** Holds a device's credential against its registration. */
export function judgeIdentity(device: Device, evidence: HubEvidence): IdentityVerdict {
  if (device.disabled) return { ok: false, why: "the device is disabled" };
  const { authentication, deviceId } = device;
  switch (authentication.kind) {
    case "symmetric_key":
      return judgeToken(deviceId, [authentication.primaryKey, authentication.secondaryKey], evidence);
    case "x509":
      return judgeThumbprint(authentication.thumbprints, evidence);
    case "x509_ca":
      return judgeChain(deviceId, authentication.authorities, evidence);
  }
}

function judgeToken(deviceId: string, keys: readonly string[], evidence: HubEvidence): IdentityVerdict {
  if (evidence.sasToken === undefined)
    return { ok: false, why: "expected a shared access signature, found no password" };
  const token = parseSasToken(evidence.sasToken);
  const resources = evidence.hosts.map((host) => `${host}/devices/${deviceId}`);
  const fault = judgeSasToken(token, { resources, keys, nowMs: evidence.nowMs });
  if (fault !== undefined || token === undefined) return { ok: false, why: `shared access signature: ${fault}` };
  return { ok: true, expiresAtMs: token.expiresAtMs };
}

function judgeThumbprint(thumbprints: readonly string[], { certificates, nowMs }: HubEvidence): IdentityVerdict {
  const [leaf] = certificates;
  if (leaf === undefined) return { ok: false, why: "expected a client certificate, found none" };
  const { sha1, sha256 } = thumbprintsOf(leaf);
  if (!thumbprints.includes(sha1) && !thumbprints.includes(sha256)) {
    return { ok: false, why: `the certificate's thumbprint ${sha256} is not the registered one` };
  }
  return isValidAt(leaf, nowMs) ? { ok: true } : { ok: false, why: "the certificate is not valid now" };
}

function judgeChain(
  deviceId: string,
  authorities: readonly X509Certificate[],
  { certificates, nowMs }: HubEvidence,
): IdentityVerdict {
  const [leaf] = certificates;
  if (leaf === undefined) return { ok: false, why: "expected a client certificate, found none" };
  if (commonNameOf(leaf) !== deviceId) return { ok: false, why: "the certificate's common name is not the device id" };
  const [path] = pathsToAnchors(certificates, authorities);
  if (path === undefined) return { ok: false, why: "the certificate leads to no authority of this hub" };
  const fault = judgePath(path, nowMs);
  return fault === undefined ? { ok: true } : { ok: false, why: `certificate chain: ${fault.kind}` };
}

/**
 * The names under which the hub called `hub` may be meant in a token of a device that calls it `host`: a device that was
 * pointed at `localhost:8883` names that.
 */
export function hostsFor(hub: string, host: string): readonly string[] {
  const isLocal = /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/i.test(host);
  return isLocal ? [...hubHostNames(hub), host] : hubHostNames(hub);
}
