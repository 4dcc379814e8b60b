import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { openssl } from "./openssl.ts";
import type { ScratchFolder } from "./scratch-folder.ts";
import { lacks, systemPeer } from "./system-peer.ts";

const run = promisify(execFile);

/** Debian's place for it; an `opensc` user's token would be another module with the same calls. */
export const softModule = "/usr/lib/softhsm/libsofthsm2.so";

/** Whether tests with a token are passed over; see {@link lacks}. A token takes programs, a module and OpenSSL's engine. */
export function lacksTokens(): boolean {
  if (["softhsm2-util", "pkcs11-tool", "openssl"].some(lacks)) return true;
  const engines = ["/usr/lib", ...readdirSync("/usr/lib").map((name) => join("/usr/lib", name))];
  const isThere =
    existsSync(softModule) && engines.some((folder) => existsSync(join(folder, "engines-3", "pkcs11.so")));
  return !isThere && process.env.CI !== "true";
}

/** A SoftHSM2 token of its own, in a scratch folder, for this process and the programs that it starts. */
export class SoftToken {
  readonly label: string;
  readonly pin = "648219";
  readonly #scratch: ScratchFolder;
  #keys = 0;

  private constructor(label: string, scratch: ScratchFolder) {
    this.label = label;
    this.#scratch = scratch;
  }

  /** Makes the token. SoftHSM2 reads the place of its tokens once in a process, so one scratch folder per test file. */
  static async create(scratch: ScratchFolder, label: string): Promise<SoftToken> {
    const program = systemPeer("softhsm2-util");
    if (program === undefined) throw new Error("there is no softhsm2-util on this machine; see .ci/peers");
    mkdirSync(scratch.file("tokens"), { recursive: true });
    process.env.SOFTHSM2_CONF = await scratch.write(
      "softhsm2.conf",
      `directories.tokendir = ${scratch.file("tokens")}\nobjectstore.backend = file\nlog.level = ERROR\n`,
    );
    const token = new SoftToken(label, scratch);
    await run(program, ["--init-token", "--free", "--label", label, "--so-pin", "12345678", "--pin", token.pin]);
    return token;
  }

  /** Makes a key pair; returns its public half, PEM. It has an id, without which neither engine nor tools tell keys apart. */
  async makeKey(object: string, kind: "ec" | "rsa"): Promise<string> {
    const type = kind === "ec" ? "EC:prime256v1" : "rsa:2048";
    this.#keys += 1;
    const name = ["--label", object, "--id", this.#keys.toString(16).padStart(4, "0")];
    await this.#tool("--login", "--pin", this.pin, "--keypairgen", "--key-type", type, "--usage-sign", ...name);
    const file = this.#scratch.file(`${object}.spki`);
    await this.#tool("--read-object", "--type", "pubkey", "--label", object, "--output-file", file);
    return openssl("pkey", "-pubin", "-inform", "der", "-in", file);
  }

  /** Puts a certificate, DER, into the token. */
  async writeCertificate(object: string, der: Uint8Array): Promise<void> {
    const file = await this.#scratch.write(`${object}.der`, der);
    await this.#tool("--login", "--pin", this.pin, "--write-object", file, "--type", "cert", "--label", object);
  }

  /** Takes the token, with all others of this process, out of its slot. It stays what it is until {@link plug}. */
  pull(): void {
    mkdirSync(this.#drawer, { recursive: true });
    move(this.#slots, this.#drawer);
  }

  /** Puts back what {@link pull} took. */
  plug(): void {
    move(this.#drawer, this.#slots);
  }

  get #slots(): string {
    return this.#scratch.file("tokens");
  }

  get #drawer(): string {
    return this.#scratch.file("drawer");
  }

  /** The URI of an object here. */
  uri(object: string, query = `module-path=${softModule}`): string {
    return `pkcs11:token=${this.label};object=${object}?${query}`;
  }

  async #tool(...args: string[]): Promise<void> {
    await run("pkcs11-tool", ["--module", softModule, "--token-label", this.label, ...args]);
  }
}

/** Whole tokens at one stroke each: a program that looks meanwhile sees all of one or nothing. */
function move(from: string, to: string): void {
  for (const name of readdirSync(from)) renameSync(join(from, name), join(to, name));
}
