import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { type Pkcs11Uri, shownPkcs11Uri } from "../../config/pkcs11-uri.ts";
import { describeCause, type ErrorCode, LandfallError } from "../../errors.ts";
import type { Secret } from "../../secret.ts";
import { findModule } from "./module.ts";
import { requireTokenOfLabel } from "./require-token-of-label.ts";

/** What a run of the tool may take. */
export interface ToolRun {
  /** Logs in with it. It is handed over in the environment, which only this user can see. */
  readonly pin?: Secret;
  /** Bytes for its standard input. */
  readonly input?: Uint8Array;
  readonly signal?: AbortSignal | undefined;
}

const timeoutMs = 120_000;
const pinVariable = "LANDFALL_TOKEN_PIN";

/**
 * OpenSC's `pkcs11-tool`, for what Node cannot have done in a token: reading objects, making keys, and signing what is
 * not a TLS handshake. The agent itself needs it only where a certificate is to be read from the token.
 *
 * Every method rejects with `key.program-missing`, `key.module-unusable`, `key.token-missing`, `key.not-in-token`,
 * `key.wrong-pin`, `key.pin-locked`, `key.hardware-failed`, and with `signal.reason`.
 */
export class TokenTool {
  readonly #module: string;
  readonly #uri: Pkcs11Uri;

  private constructor(module: string, uri: Pkcs11Uri) {
    this.#module = module;
    this.#uri = uri;
  }

  /**
   * The tool for the token and object of a URI. Rejects with `key.module-unusable`, with `key.invalid-uri` without a token's
   * label, and like {@link requireTokenOfLabel}.
   */
  static async for(uri: Pkcs11Uri): Promise<TokenTool> {
    if (uri.path.token === undefined) {
      throw new LandfallError(
        "key.invalid-uri",
        `Expected the token's label, token=…, because pkcs11-tool finds tokens by nothing else; found ${shownPkcs11Uri(uri)}.`,
      );
    }
    const module = await findModule(uri);
    await requireTokenOfLabel(uri, module);
    return new TokenTool(module, uri);
  }

  /** The value of the object as DER: a certificate, or a public key as SubjectPublicKeyInfo. */
  readObject(type: "cert" | "pubkey", run: ToolRun = {}): Promise<Buffer> {
    return this.#run(["--read-object", "--type", type, ...this.#object()], run);
  }

  /** Makes a key pair with the label and the id of the URI; without one, with an id by chance. */
  async makeKeyPair(type: "EC:prime256v1" | "rsa:2048", run: ToolRun): Promise<void> {
    const { id } = this.#uri.path;
    const own = id === undefined ? ["--id", randomBytes(8).toString("hex")] : [];
    await this.#run(["--keypairgen", "--key-type", type, "--usage-sign", ...this.#object(), ...own], run);
  }

  /**
   * Signs the input with the private key. The tool looks for that key by its id alone and would take any other for a label;
   * so the id of the label is looked up first.
   */
  async sign(mechanism: readonly string[], run: ToolRun): Promise<Buffer> {
    const id = this.#uri.path.id ?? (await this.#idOfLabel(run));
    return this.#run(["--sign", ...mechanism, "--id", Buffer.from(id).toString("hex")], run);
  }

  async #idOfLabel({ pin, signal }: ToolRun): Promise<Uint8Array> {
    const list = await this.#run(["--list-objects", "--type", "privkey"], {
      signal,
      ...(pin === undefined ? {} : { pin }),
    });
    const { object } = this.#uri.path;
    const found = readObjectList(list.toString("utf8")).filter(({ label }) => label === object);
    const [id] = found.map((each) => each.id);
    if (found.length === 1 && id !== undefined) return id;
    const location = shownPkcs11Uri(this.#uri);
    if (found.length === 0) throw new LandfallError("key.not-in-token", `The token shows no private key ${location}.`);
    const what = found.length === 1 ? "without an id" : `${found.length} times`;
    throw new LandfallError("key.unusable", `Expected one private key with an id for ${location}; found it ${what}.`);
  }

  #object(): readonly string[] {
    const { object, id } = this.#uri.path;
    return [
      ...(object === undefined ? [] : ["--label", object]),
      ...(id === undefined ? [] : ["--id", Buffer.from(id).toString("hex")]),
    ];
  }

  #run(action: readonly string[], { pin, input, signal }: ToolRun): Promise<Buffer> {
    const { token = "" } = this.#uri.path;
    const login = pin === undefined ? [] : ["--login", "--pin", `env:${pinVariable}`];
    const args = ["--module", this.#module, "--token-label", token, ...login, ...action];
    const env = { ...process.env, LC_ALL: "C", ...(pin === undefined ? {} : { [pinVariable]: pin.reveal() }) };
    return new Promise((resolve, reject) => {
      const child = execFile(
        "pkcs11-tool",
        args,
        { env, encoding: "buffer", timeout: timeoutMs, ...(signal === undefined ? {} : { signal }) },
        (error, stdout, stderr) => {
          if (error === null) resolve(stdout);
          else reject(signal?.aborted ? signal.reason : this.#failure(error, stderr.toString("utf8")));
        },
      );
      child.stdin?.on("error", () => {}); // a tool that fails early does not read
      child.stdin?.end(input);
    });
  }

  #failure(error: Error, said: string): LandfallError {
    const location = shownPkcs11Uri(this.#uri);
    if ((error as NodeJS.ErrnoException).code === "ENOENT") {
      return new LandfallError(
        "key.program-missing",
        `Expected the program pkcs11-tool, from the package opensc, to reach ${location}; it is not installed.`,
        { cause: error },
      );
    }
    const words = said.split("\n").flatMap((line) => /^(?:error: )?(.*\S)\s*$/.exec(line)?.[1] ?? []);
    const meaning = meanings.find(({ pattern }) => pattern.test(said));
    const reason = words.filter((line) => !/^(?:Aborting|Using )/.test(line)).join("; ") || describeCause(error);
    return new LandfallError(meaning?.code ?? "key.hardware-failed", `pkcs11-tool fails for ${location}: ${reason}.`);
  }
}

/** The objects that `--list-objects` prints: each begins in the first column and has its attributes below it, set in. */
function readObjectList(text: string): readonly { readonly label?: string; readonly id?: Uint8Array }[] {
  return text.split(/\n(?=\S)/).flatMap((object) => {
    const label = /^ +label: +(.*)$/m.exec(object)?.[1];
    const id = /^ +ID: +([0-9a-f]+)$/m.exec(object)?.[1];
    if (label === undefined && id === undefined) return [];
    return [{ ...(label === undefined ? {} : { label }), ...(id === undefined ? {} : { id: Buffer.from(id, "hex") }) }];
  });
}

const meanings: readonly { readonly pattern: RegExp; readonly code: ErrorCode }[] = [
  { pattern: /CKR_PIN_LOCKED/, code: "key.pin-locked" },
  { pattern: /CKR_PIN_(?:INCORRECT|INVALID|EXPIRED|LEN_RANGE)/, code: "key.wrong-pin" },
  { pattern: /load pkcs11 module|dlopen|sc_dlsym/i, code: "key.module-unusable" },
  { pattern: /No slot/i, code: "key.token-missing" },
  { pattern: /not found/i, code: "key.not-in-token" },
];
