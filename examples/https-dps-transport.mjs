// A transport of one's own: DPS over HTTPS with nothing but Node, one connection for each request. It takes a credential
// and moves requests; registering, waiting and trying again are the agent's.
import { request as startRequest } from "node:https";
import { LandfallError } from "landfall";

const version = "api-version=2021-06-01";

/** For devices with a key. `tls` goes to `https.request`: a CA, another address to dial. */
export class HttpsDpsTransport {
  name = "own-https";
  abilities = { credentials: ["sas"], challenge: false };
  #tls;

  constructor(tls = {}) {
    this.#tls = tls;
  }

  async connect({ host, port = 443 }, identity, { signal } = {}) {
    signal?.throwIfAborted();
    const send = (method, path, body, { signal }) =>
      new Promise((resolve, reject) => {
        const about = { host, port, servername: host, agent: false, ...this.#tls, method, path, signal };
        const headers = { ...about.headers, host, ...body.headers, "content-length": Buffer.byteLength(body.text) };
        startRequest({ ...about, headers }, (response) => {
          const chunks = [];
          response.on("data", (chunk) => chunks.push(chunk)).on("error", reject);
          response.on("end", () => resolve({ response, text: Buffer.concat(chunks).toString() }));
        })
          .on("error", reject)
          .end(body.text);
      });
    return new Channel(send, host, identity);
  }
}

/** What `connect` gives: one request at a time, and of no more use after the first that has no answer. */
class Channel {
  #over = new AbortController();
  #send;
  #host;
  #identity;

  constructor(send, host, identity) {
    this.#send = send;
    this.#host = host;
    this.#identity = identity;
  }

  async request(request, { signal } = {}) {
    signal?.throwIfAborted();
    this.#over.signal.throwIfAborted();
    const either = signal ? AbortSignal.any([signal, this.#over.signal]) : this.#over.signal;
    try {
      return await this.#ask(request, either);
    } catch (cause) {
      signal?.throwIfAborted();
      this.#end(cause);
      throw this.#over.signal.reason;
    }
  }

  async close() {
    this.#end();
  }

  [Symbol.asyncDispose]() {
    return this.close();
  }

  async #ask({ kind, body, operationId }, signal) {
    const { idScope, registrationId, credential } = this.#identity;
    const resource = `${idScope}/registrations/${registrationId}`;
    const expiresAtMs = Date.now() + 3_600_000;
    const token = await credential.token({ resource, keyName: "registration", expiresAtMs }, { signal });
    const headers = { authorization: token.text.reveal(), "content-type": "application/json" };
    const path = `/${resource}/${kind === "register" ? "register" : `operations/${operationId}`}?${version}`;
    const sent = { headers, text: kind === "register" ? JSON.stringify(body) : "" };
    const { response, text } = await this.#send(kind === "register" ? "PUT" : "GET", path, sent, { signal });
    const seconds = Number(response.headers["retry-after"]);
    return { status: response.statusCode, ...(seconds > 0 ? { retryAfterMs: seconds * 1000 } : {}), body: text };
  }

  #end(cause) {
    const message = `the connection to ${this.#host} is over`;
    this.#over.abort(new LandfallError("transport.closed", message, { cause }));
  }
}
