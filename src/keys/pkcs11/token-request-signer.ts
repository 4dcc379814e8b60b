import { createHash, createPublicKey, type KeyObject, verify } from "node:crypto";
import { LandfallError } from "../../errors.ts";
import type { Secret } from "../../secret.ts";
import type { RequestSigner } from "../certificate-request.ts";
import { readPkcs11Uri } from "./open-pkcs11-key.ts";
import { findPin } from "./pin.ts";
import { TokenTool } from "./token-tool.ts";

/** Signs certificate requests in a token, by `pkcs11-tool`: a TLS handshake is all that Node has the engine sign. */
export class TokenRequestSigner implements RequestSigner {
  readonly publicKey: KeyObject;
  readonly #tool: TokenTool;
  readonly #pin: Secret;

  private constructor(tool: TokenTool, pin: Secret, publicKey: KeyObject) {
    this.#tool = tool;
    this.#pin = pin;
    this.publicKey = publicKey;
  }

  /** Reads the public key. Rejects like {@link TokenTool} and {@link findPin}; with `key.unusable` for a key of an unknown kind. */
  static async open(location: string, given: Secret | undefined): Promise<TokenRequestSigner> {
    const uri = readPkcs11Uri(location);
    const tool = await TokenTool.for(uri);
    const { pin } = await findPin(uri, given);
    return new TokenRequestSigner(tool, pin, parse(await tool.readObject("pubkey")));
  }

  async sign(bytes: Uint8Array, { signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<Uint8Array> {
    const isRsa = this.publicKey.asymmetricKeyType === "rsa";
    const how = isRsa ? ["--mechanism", "SHA256-RSA-PKCS"] : ["--mechanism", "ECDSA", "--signature-format", "openssl"];
    const input = isRsa ? bytes : createHash("sha256").update(bytes).digest();
    const signature = await this.#tool.sign(how, { pin: this.#pin, input, signal });
    if (verify("sha256", bytes, this.publicKey, signature)) return signature;
    throw new LandfallError("key.unusable", "The token signed with another private key than its public key is of.");
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

function parse(spki: Buffer): KeyObject {
  try {
    return createPublicKey({ key: spki, type: "spki", format: "der" });
  } catch (cause) {
    throw new LandfallError("key.unusable", "The token has a public key of a kind that is not known.", { cause });
  }
}
