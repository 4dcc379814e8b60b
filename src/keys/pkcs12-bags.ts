import forge from "node-forge";

/** What lies in a PKCS#12 file, decrypted, as DER. */
export interface Pkcs12Bags {
  /** PKCS#8. */
  readonly privateKeys: readonly Buffer[];
  readonly certificates: readonly Buffer[];
}

/** Why a PKCS#12 file does not open: the password, or that it is damaged, foreign or encrypted in an unknown way. */
export class Pkcs12Failure extends Error {
  readonly reason: "password" | "format";

  constructor(reason: "password" | "format", options: ErrorOptions) {
    super(reason, options);
    this.reason = reason;
  }
}

/**
 * Opens a PKCS#12 file; throws {@link Pkcs12Failure}. Reads the encryption of old tools (3DES and 40-bit RC2) and
 * of new ones (PBES2 with AES), with a MAC of SHA-1 or SHA-2. It computes on this thread, about 20 ms for the usual
 * 2048 rounds of key derivation and in proportion for more.
 *
 * node-forge knows RSA only. It hands out what it does not understand as the decrypted ASN.1, and that is enough:
 * written out again it is the very PKCS#8 or certificate that went in.
 */
export function openBags(bytes: Uint8Array, password: string | undefined): Pkcs12Bags {
  const file = parseFile(bytes);
  const bags = decrypt(file, password).safeContents.flatMap(({ safeBags }) => safeBags);
  const privateKeys = bags.filter(({ type }) => type !== forge.pki.oids.certBag);
  const certificates = bags.filter(({ type }) => type === forge.pki.oids.certBag);
  return {
    privateKeys: privateKeys.map(({ key, asn1 }) => toDer(key ? wrap(key) : asn1)),
    certificates: certificates.map(({ cert, asn1 }) => toDer(cert ? forge.pki.certificateToAsn1(cert) : asn1)),
  };
}

/** The sequence of version, contents and MAC that a PKCS#12 file is; the MAC may be absent. */
type File = forge.asn1.Asn1 & { readonly value: forge.asn1.Asn1[] };

function parseFile(bytes: Uint8Array): File {
  try {
    const file = forge.asn1.fromDer(Buffer.from(bytes).toString("latin1"));
    const version = Array.isArray(file.value) ? file.value[0]?.value : undefined;
    if (version !== "\x03") throw new Error("It has no PKCS#12 version 3 in it.");
    return file as File;
  } catch (cause) {
    throw new Pkcs12Failure("format", { cause });
  }
}

function decrypt(file: File, password: string | undefined): forge.pkcs12.Pkcs12Pfx {
  // "No password" is written in two ways: as an empty one, or as none at all.
  const candidates = password === undefined ? ["", undefined] : [password];
  let failure: Pkcs12Failure | undefined;
  for (const candidate of candidates) {
    try {
      return decryptWith(file, candidate);
    } catch (error) {
      failure ??= asFailure(error, file);
    }
  }
  throw failure;
}

function decryptWith(file: File, password: string | undefined): forge.pkcs12.Pkcs12Pfx {
  try {
    return forge.pkcs12.pkcs12FromAsn1(file, false, password);
  } catch (error) {
    const utf8 = Buffer.from(password ?? "").toString("latin1");
    if (isMacFailure(error) || utf8 === (password ?? "")) throw error;
    // Beyond ASCII, MAC and old ciphers take the password as UTF-16, PBES2 takes it as UTF-8, and node-forge has one
    // form for all. The MAC has been verified above, so it is left out here.
    const withoutMac = { ...file, value: file.value.slice(0, 2) };
    return forge.pkcs12.pkcs12FromAsn1(withoutMac, false, utf8);
  }
}

function asFailure(error: unknown, file: File): Pkcs12Failure {
  const hasMac = file.value.length > 2;
  const unknownAlgorithm = typeof error === "object" && error !== null && "oid" in error;
  // Once the MAC has shown that the password is right, what goes wrong is the file's fault.
  const password = isMacFailure(error) || (!hasMac && !unknownAlgorithm);
  return new Pkcs12Failure(password ? "password" : "format", { cause: error });
}

/** node-forge tells this one apart by its message only. */
function isMacFailure(error: unknown): boolean {
  return error instanceof Error && error.message.includes("MAC could not be verified");
}

function wrap(key: forge.pki.PrivateKey): forge.asn1.Asn1 {
  return forge.pki.wrapRsaPrivateKey(forge.pki.privateKeyToAsn1(key));
}

function toDer(asn1: forge.asn1.Asn1): Buffer {
  return Buffer.from(forge.asn1.toDer(asn1).getBytes(), "latin1");
}
