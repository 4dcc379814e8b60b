import { createPublicKey, type KeyObject } from "node:crypto";
import { shownPkcs11Uri } from "../../config/pkcs11-uri.ts";
import { isLandfallError, LandfallError } from "../../errors.ts";
import type { Secret } from "../../secret.ts";
import { readPkcs11Uri } from "./open-pkcs11-key.ts";
import { findPin } from "./pin.ts";
import { TokenTool } from "./token-tool.ts";

/**
 * Has a token make a key pair, by `pkcs11-tool`. Resolves with the public half.
 * Rejects with `key.already-there`, and like {@link TokenTool} and {@link findPin}.
 */
export async function createTokenKey(
  location: string,
  creation: {
    readonly type: "ec" | "rsa";
    readonly password?: Secret | undefined;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<KeyObject> {
  const { signal } = creation;
  const uri = readPkcs11Uri(location);
  if (uri.path.object === undefined) {
    throw new LandfallError("key.invalid-uri", `Expected object=…, the new key's label; found ${shownPkcs11Uri(uri)}.`);
  }
  const tool = await TokenTool.for(uri);
  const { pin } = await findPin(uri, creation.password);
  if (await isThere(tool, signal)) {
    throw new LandfallError("key.already-there", `The token has a key ${shownPkcs11Uri(uri)} already.`);
  }
  const type = creation.type === "rsa" ? "rsa:2048" : "EC:prime256v1";
  await tool.makeKeyPair(type, { pin, signal });
  return createPublicKey({ key: await tool.readObject("pubkey", { signal }), type: "spki", format: "der" });
}

async function isThere(tool: TokenTool, signal: AbortSignal | undefined): Promise<boolean> {
  try {
    await tool.readObject("pubkey", { signal });
    return true;
  } catch (error) {
    if (isLandfallError(error) && error.code === "key.not-in-token") return false;
    throw error;
  }
}
