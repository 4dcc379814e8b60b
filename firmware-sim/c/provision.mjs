#!/usr/bin/env node
// Writes the identity page of one board, as the factory would: into the file that simulates flash, or as a page of its
// own for the board's programmer. The page is described in core/identity-page.c.
//
//   node provision.mjs (--flash FILE | --page FILE) --rid ID [--key FILE] [--p256 FILE] [--cert FILE] [--life SECONDS]
//
// --key: base64 of a symmetric key of up to 64 bytes.  --p256: a P-256 private key, PEM.  --cert: the chain, PEM, the
// device's own first.  --life: the longest life of a token, 86400 unless given.  Keys are named by file, so that none
// stands in a list of processes.
import { createPrivateKey, X509Certificate } from "node:crypto";
import { existsSync, openSync, readFileSync, writeFileSync, writeSync } from "node:fs";
import { parseArgs } from "node:util";

const flashBytes = 0x45000;
const identityOffset = 0x44000;
const pageBytes = 4096;

const text = { type: "string" };
const { values: given } = parseArgs({
  options: { flash: text, page: text, rid: text, key: text, p256: text, cert: text, life: text },
});
if ((given.flash === undefined) === (given.page === undefined) || !given.rid) {
  throw new Error("expected --rid and either --flash or --page");
}
if (Buffer.byteLength(given.rid) > 128) throw new Error("expected a registration id of at most 128 bytes");

function symmetricKey(file) {
  const key = Buffer.from(readFileSync(file, "utf8"), "base64");
  if (key.length < 1 || key.length > 64)
    throw new Error(`${file}: expected base64 of 1 to 64 bytes, got ${key.length}`);
  return key;
}

function p256Scalar(file) {
  const jwk = createPrivateKey(readFileSync(file)).export({ format: "jwk" });
  if (jwk.crv !== "P-256") throw new Error(`${file}: expected a P-256 key, got ${jwk.crv ?? jwk.kty}`);
  return Buffer.from(jwk.d, "base64url");
}

function lifeSeconds(text) {
  const life = Number(text);
  if (!Number.isInteger(life) || life < 1 || life > 0xffffffff)
    throw new Error(`--life: expected whole seconds from 1 to ${0xffffffff}, got ${text}`);
  return life;
}

function derChain(file) {
  const blocks = readFileSync(file, "utf8").match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0) throw new Error(`${file}: expected certificates in PEM`);
  return Buffer.concat(blocks.map((pem) => new X509Certificate(pem).raw));
}

/** The head of a CBOR item. */
function head(major, argument) {
  if (argument < 24) return Buffer.of((major << 5) | argument);
  const bytes = Buffer.alloc(5);
  bytes[0] = (major << 5) | 26;
  bytes.writeUInt32BE(argument, 1);
  return bytes;
}

function cbor(value) {
  if (typeof value === "number") return head(0, value);
  const bytes = Buffer.from(value);
  return Buffer.concat([head(typeof value === "string" ? 3 : 2, bytes.length), bytes]);
}

function crc16(bytes) {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = ((crc & 0x8000) !== 0 ? (crc << 1) ^ 0x1021 : crc << 1) & 0xffff;
  }
  return crc;
}

const entries = Object.entries({
  rid: given.rid,
  ...(given.key && { key: symmetricKey(given.key) }),
  ...(given.p256 && { p256: p256Scalar(given.p256) }),
  ...(given.cert && { cert: derChain(given.cert) }),
  ...(given.life !== undefined && { life: lifeSeconds(given.life) }),
});
const map = Buffer.concat([head(5, entries.length), ...entries.flat().map(cbor)]);
const page = Buffer.alloc(pageBytes, 0xff);
if (8 + map.length > pageBytes)
  throw new Error(`expected an identity of at most ${pageBytes - 8} bytes, got ${map.length}`);
page.write("LFID", 0, "latin1");
page.writeUInt16LE(map.length, 4);
page.writeUInt16LE(crc16(map), 6);
map.copy(page, 8);

if (given.page !== undefined) {
  writeFileSync(given.page, page, { mode: 0o600 });
} else {
  if (!existsSync(given.flash)) writeFileSync(given.flash, Buffer.alloc(flashBytes, 0xff), { mode: 0o600 });
  writeSync(openSync(given.flash, "r+"), page, 0, pageBytes, identityOffset);
}
