import type { KeyObject, X509Certificate } from "node:crypto";
import tls, { type SecureContext, type SecureContextOptions } from "node:tls";
import { formatPkcs11Path, type Pkcs11Uri, shownPkcs11Uri } from "../../config/pkcs11-uri.ts";
import { describeCause, isLandfallError, LandfallError } from "../../errors.ts";
import type { Secret } from "../../secret.ts";
import { certificateOfAnotherKey } from "../certificate-of-another-key.ts";
import { pkcs11EngineFolder } from "../engine/engine-folder.ts";
import { withEnvironment } from "../engine/with-environment.ts";
import { checkKeyKind } from "../key-kind.ts";
import type { TlsKey } from "../tls-key.ts";
import { engineFailure } from "./engine-failure.ts";
import { findModule, moduleTitle } from "./module.ts";
import { withPinFile } from "./pin-file.ts";
import { isMeant, presentTokens } from "./present-tokens.ts";
import { RefusedPins } from "./refused-pins.ts";

/** The engine takes one module, at its first use, for the rest of the process. */
let moduleOfProcess: string | undefined;

const refusedPins = new RefusedPins();

/** The engine reads one line of a PIN, and of that no more than this; what it read it tries, and tokens lock. */
const longestPinBytes = 31;

/** A private key in a PKCS#11 token, which TLS reaches through OpenSSL's engine `pkcs11`. */
export class Pkcs11TlsKey implements TlsKey {
  readonly location: string;
  readonly publicKey: KeyObject;
  readonly #uri: Pkcs11Uri;
  readonly #module: string;
  readonly #engineFolder: string;
  #pin: Secret | undefined;
  #tookPin = false;

  private constructor(
    uri: Pkcs11Uri,
    place: { readonly module: string; readonly engineFolder: string },
    pin: Secret,
    publicKey: KeyObject,
  ) {
    this.location = shownPkcs11Uri(uri);
    this.publicKey = publicKey;
    this.#uri = uri;
    this.#module = place.module;
    this.#engineFolder = place.engineFolder;
    this.#pin = pin;
  }

  /**
   * Logs in to the token, finds the key, and has OpenSSL compare its public half with that of the certificate.
   *
   * Rejects with `key.engine-missing`, `key.module-unusable`, `key.token-missing`, `key.not-in-token`, `key.wrong-pin`,
   * `key.pin-locked` or `key.login-failed`; with `certificate.key-mismatch` when it is the key of another certificate; with
   * `key.unusable` when it is of a kind that Azure IoT does not take.
   */
  static async open(
    uri: Pkcs11Uri,
    { pin, certificate }: { readonly pin: Secret; readonly certificate: X509Certificate },
  ): Promise<Pkcs11TlsKey> {
    requireWhole(uri, pin);
    const place = { module: await findModule(uri), engineFolder: await pkcs11EngineFolder() };
    const key = new Pkcs11TlsKey(uri, place, pin, certificate.publicKey);
    checkKeyKind(key.publicKey, key.location);
    key.#claimModule();
    if (!(await key.#found(() => key.#belongsTo(certificate)))) throw key.#mismatch();
    return key;
  }

  async secureContext(base: SecureContextOptions): Promise<SecureContext> {
    return this.#found(() => this.#load(base));
  }

  signingFailure(cause: unknown): LandfallError | undefined {
    if (this.#pin === undefined || !/PKCS#11 module|pkcs11 engine|libp11/.test(describeCause(cause))) return undefined;
    return this.#failure(cause, this.#pin);
  }

  async close(): Promise<void> {
    this.#pin = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Tells a key that its token lacks from a token that is not there: for the engine both come to the same. */
  async #found<T>(load: () => T): Promise<T> {
    try {
      return load();
    } catch (error) {
      if (!isLandfallError(error) || error.code !== "key.not-in-token") throw error;
      const tokens = await presentTokens(this.#module);
      if (tokens === undefined) throw error;
      if (!tokens.some((token) => isMeant(this.#uri.path, token))) {
        const message = `${moduleTitle(this.#module)} does not show the token of ${this.location}.`;
        throw new LandfallError("key.token-missing", message, { cause: error });
      }
    }
    // It may have come between the engine's look and ours.
    return load();
  }

  /**
   * OpenSSL compares the key with the certificate if both are of one kind, and refuses those that differ; a key of another
   * kind it puts beside the certificate without a word. So the key has to go with this certificate, and not with another
   * of the same kind.
   */
  #belongsTo(certificate: X509Certificate): boolean {
    return this.#goesWith(certificate) && !this.#goesWith(certificateOfAnotherKey(certificate));
  }

  #goesWith(certificate: X509Certificate): boolean {
    try {
      this.#load({ cert: certificate.toString() });
      return true;
    } catch (error) {
      if (isLandfallError(error) && error.code === "certificate.key-mismatch") return false;
      throw error;
    }
  }

  #load(base: SecureContextOptions): SecureContext {
    if (!this.#pin) throw new LandfallError("key.unusable", `The private key ${this.location} has been closed.`);
    if (refusedPins.has(this.#uri, this.#pin)) {
      const message = `The token of ${this.location} has refused the PIN before; it is not tried again, lest the token lock.`;
      throw new LandfallError("key.wrong-pin", message);
    }
    const environment = { OPENSSL_ENGINES: this.#engineFolder, PKCS11_MODULE_PATH: this.#module };
    const object = formatPkcs11Path({ ...this.#uri.path, type: "private" });
    try {
      const context = withPinFile(this.#pin, (file) =>
        withEnvironment(environment, () =>
          tls.createSecureContext({
            ...base,
            privateKeyEngine: "pkcs11",
            privateKeyIdentifier: `pkcs11:${object}?pin-source=file:${file}`,
          }),
        ),
      );
      this.#tookPin = true;
      return context;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== undefined && /^ERR_OSSL_X509_KEY_\w+_MISMATCH$/.test(code)) {
        this.#tookPin = true;
        throw this.#mismatch(error);
      }
      throw this.#failure(error, this.#pin);
    }
  }

  #failure(error: unknown, pin: Secret): LandfallError {
    const { location } = this;
    const failure = engineFailure(error, { location, module: this.#module, tookPin: this.#tookPin });
    if (failure.code === "key.wrong-pin") refusedPins.add(this.#uri, pin);
    return failure;
  }

  #claimModule(): void {
    moduleOfProcess ??= this.#module;
    if (moduleOfProcess === this.#module) return;
    throw new LandfallError(
      "key.module-unusable",
      `This process uses the PKCS#11 module ${moduleOfProcess} already and can use no other, such as ${this.#module}.`,
    );
  }

  #mismatch(cause?: unknown): LandfallError {
    return new LandfallError(
      "certificate.key-mismatch",
      `The private key ${this.location} does not belong to the first certificate.`,
      { cause },
    );
  }
}

/** Throws `key.wrong-pin` for a PIN of which the engine would try a part. */
function requireWhole(uri: Pkcs11Uri, pin: Secret): void {
  const text = pin.reveal();
  if (Buffer.byteLength(text) <= longestPinBytes && !/[\r\n]/.test(text)) return;
  throw new LandfallError(
    "key.wrong-pin",
    `Expected a PIN of one line and at most ${longestPinBytes} bytes for ${shownPkcs11Uri(uri)}, since OpenSSL's engine ` +
      "would cut a longer one off; it is not tried, lest the token lock.",
  );
}
