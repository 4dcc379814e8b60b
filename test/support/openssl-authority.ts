import { openssl } from "./openssl.ts";
import type { ScratchFolder } from "./scratch-folder.ts";

/** An authority kept with the `openssl` command, for devices whose private key nobody has: it certifies public keys and requests. */
export class OpensslAuthority {
  /** The authority's own certificate, PEM. */
  readonly certificatePem: string;
  readonly #scratch: ScratchFolder;

  private constructor(scratch: ScratchFolder, certificatePem: string) {
    this.#scratch = scratch;
    this.certificatePem = certificatePem;
  }

  /** Makes a root. */
  static async create(scratch: ScratchFolder, commonName: string): Promise<OpensslAuthority> {
    const [key, certificate] = [scratch.file("authority.key"), scratch.file("authority.pem")];
    await openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key);
    await openssl(
      "req",
      "-x509",
      "-new",
      "-key",
      key,
      "-subj",
      `/CN=${commonName}`,
      "-days",
      "30",
      "-out",
      certificate,
    );
    return new OpensslAuthority(scratch, await openssl("x509", "-in", certificate));
  }

  /** Certifies a public key, PEM, without any proof that somebody has the private one; PEM. */
  async certify(publicKeyPem: string, commonName: string): Promise<string> {
    const publicKey = await this.#scratch.write(`${commonName}.pub`, publicKeyPem);
    return openssl("x509", "-new", "-force_pubkey", publicKey, "-subj", `/CN=${commonName}`, ...this.#signing());
  }

  /** Answers a PKCS#10 request, PEM, with a certificate, PEM. Rejects when the request's own signature is wrong. */
  async answer(requestPem: string): Promise<string> {
    const request = await this.#scratch.write("request.csr", requestPem);
    return openssl("x509", "-req", "-in", request, ...this.#signing());
  }

  #signing(): readonly string[] {
    const [key, certificate] = [this.#scratch.file("authority.key"), this.#scratch.file("authority.pem")];
    return ["-CA", certificate, "-CAkey", key, "-days", "20"];
  }
}
