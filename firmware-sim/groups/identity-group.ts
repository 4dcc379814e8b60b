import { signDigest } from "../identity/digest-signature.ts";
import type { Identity } from "../identity/identity.ts";
import { writeSasToken } from "../identity/sas-token.ts";
import type { SignatureLimit } from "../identity/signature-limit.ts";
import type { TpmTunnel } from "../identity/tpm-tunnel.ts";
import type { Statistics } from "../statistics.ts";
import type { Body } from "../wire/value.ts";
import type { Group, GroupCommand } from "./group.ts";
import { Refusal, smpCode } from "./refusal.ts";
import { RequestFields } from "./request-fields.ts";

/** What the group works with. */
export interface IdentityGroupParts {
  readonly identity: Identity;
  readonly boot: number;
  readonly limit: SignatureLimit;
  /** Absent when no TPM is behind the MCU. */
  readonly tpm: TpmTunnel | undefined;
  /** Most bytes of data in one answer. */
  readonly pieceBytes: number;
  readonly counts: Statistics["identity"];
}

const invalid = () => Refusal.ofGroup(smpCode.invalid);

/** Group 70: who the device is, and what it signs. */
export function identityGroup(parts: IdentityGroupParts): Group {
  const { identity, tpm, pieceBytes } = parts;
  return {
    id: 70,
    commands: {
      0: { read: () => describe(parts) },
      1: { write: (request) => signToken(request, parts) },
      2: {
        read: (request) => {
          const off = new RequestFields(request, invalid).count("off");
          const chain = identity.certificates;
          if (chain.length === 0) throw Refusal.ofGroup(smpCode.noEntry);
          if (off > chain.length) throw invalid();
          return { off, len: chain.length, data: chain.subarray(off, off + pieceBytes) };
        },
      },
      3: { write: (request) => sign(request, parts) },
      ...(tpm === undefined ? {} : { 4: tpmCommand(tpm, pieceBytes) }),
    },
  };
}

function describe({ identity, boot, tpm }: IdentityGroupParts): Body {
  const kinds = [
    ...(identity.symmetricKey === undefined ? [] : ["sas"]),
    ...(identity.privateKey === undefined ? [] : ["p256"]),
    ...(tpm === undefined ? [] : ["tpm"]),
  ];
  return { rid: identity.registrationId, kinds, life: identity.tokenLifeSeconds, boot };
}

function signToken(request: Body, { identity, counts }: IdentityGroupParts): Body {
  if (identity.symmetricKey === undefined) throw Refusal.ofGroup(smpCode.notSupported);
  const fields = new RequestFields(request, invalid);
  const service = fields.text("for", 3, 3);
  if (service !== "dps" && service !== "hub") throw invalid();
  const scope = fields.text("scope", 1, 256);
  const named = fields.has("dev") ? fields.text("dev", 1, 128) : identity.registrationId;
  // A registration has one name only; another device id is a matter of the hub.
  const device = service === "dps" ? identity.registrationId : named;
  const [now, expiresAtSeconds] = [fields.count("now"), fields.count("exp")];
  // It has no clock: the span is what it can judge.
  if (expiresAtSeconds <= now || expiresAtSeconds - now > identity.tokenLifeSeconds) throw invalid();
  const token = writeSasToken({ service, scope, device, expiresAtSeconds }, identity.symmetricKey);
  if (token.length > 512) throw Refusal.ofGroup(smpCode.tooLarge);
  counts.tokens += 1;
  return { token };
}

function sign(request: Body, { identity, limit, counts }: IdentityGroupParts): Body {
  if (identity.privateKey === undefined) throw Refusal.ofGroup(smpCode.notSupported);
  const digest = new RequestFields(request, invalid).bytes("hash", 32, 32);
  if (!limit.take()) {
    counts.refused += 1;
    throw Refusal.ofGroup(smpCode.busy);
  }
  counts.signatures += 1;
  return { sig: signDigest(digest, identity.privateKey) };
}

function tpmCommand(tpm: TpmTunnel, pieceBytes: number): GroupCommand {
  return {
    read: (request) => {
      const fields = new RequestFields(request, invalid);
      return tpm.read(fields.count("id"), fields.count("off"), pieceBytes);
    },
    write: (request) => {
      const fields = new RequestFields(request, invalid);
      const [id, off, len] = [fields.count("id"), fields.count("off"), fields.count("len")];
      return tpm.take({ id, off, len, data: fields.bytes("data", 0, 4096) });
    },
  };
}
