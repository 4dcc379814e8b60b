import { createHmac } from "node:crypto";
import { once } from "node:events";
import tls from "node:tls";
import type { Emulator, Enrollment } from "../../src/emulator/index.ts";
import { type Answered, takeApart } from "./emulated-dps.ts";
import { ForeignDevice, type ForeignOptions, overTls } from "./foreign-device.ts";

/** The ID scope of the emulator. */
export const scope = "0ne00ABCDEF";
/** The version as it stands in a query. */
export const version = "api-version=2021-06-01";
/** The name of DPS. */
export const dpsHost = "global.azure-devices-provisioning.net";
/** The name of the first hub. */
export const hubHost = "hub-a.azure-devices.net";
/** Where DPS answers. */
export const answersFilter = "$dps/registrations/res/#";
/** The topic of a registration, up to its query. */
export const registerPath = "$dps/registrations/PUT/iotdps-register/";
const pollPath = "$dps/registrations/GET/iotdps-get-operationstatus/";

/** The parts of a token, encoded; a client puts them together in its own way. */
export type TokenForm = (parts: { readonly sr: string; readonly sig: string; readonly se: number }) => string;

/** How a client spells its tokens. */
export interface TokenSpelling {
  readonly encode?: (text: string) => string;
  readonly form?: TokenForm;
}

/** A device that DPS and hub know. */
export class FieldDevice {
  readonly enrollment: Enrollment;
  readonly #emulator: Emulator;
  readonly #key = Buffer.alloc(32, 5).toString("base64");
  readonly id: string;

  constructor(emulator: Emulator, id: string) {
    this.#emulator = emulator;
    this.id = id;
    const primaryKey = this.#key;
    this.enrollment = emulator.dps.enroll({ registrationId: id, attestation: { method: "symmetric_key", primaryKey } });
    emulator.hub().addDevice({ deviceId: id, authentication: { method: "symmetric_key", primaryKey } });
  }

  dpsToken(spelling?: TokenSpelling): string {
    return this.#token(`${scope}/registrations/${this.id}`, spelling);
  }

  hubToken(spelling?: TokenSpelling): string {
    return this.#token(`${hubHost}/devices/${this.id}`, spelling);
  }

  #token(resource: string, { encode = encodeURIComponent, form }: TokenSpelling = {}): string {
    const [sr, se] = [encode(resource), Math.ceil(Date.now() / 1000) + 3600];
    const signature = createHmac("sha256", Buffer.from(this.#key, "base64")).update(`${sr}\n${se}`).digest("base64");
    const sig = encodeURIComponent(signature);
    return `SharedAccessSignature ${form?.({ sr, sig, se }) ?? `sr=${sr}&sig=${sig}&se=${se}`}`;
  }

  dpsOptions(options: ForeignOptions = {}): ForeignOptions {
    const username = `${scope}/registrations/${this.id}/api-version=2019-03-31`;
    return { clientId: this.id, username, password: this.dpsToken(), ...options };
  }

  connect(servername: string, options: ForeignOptions): Promise<ForeignDevice> {
    return ForeignDevice.connect(overTls(this.#emulator, { servername }), options);
  }

  async atDps(options?: ForeignOptions): Promise<DpsTalk> {
    const connection = await this.connect(dpsHost, this.dpsOptions(options));
    await connection.subscribe(answersFilter);
    return new DpsTalk(connection);
  }

  atHub(options: ForeignOptions = {}): Promise<ForeignDevice> {
    const username = `${hubHost}/${this.id}/?api-version=2021-04-12`;
    return this.connect(hubHost, { clientId: this.id, username, password: this.hubToken(), ...options });
  }

  /** A connection to the port of HTTPS and WebSocket. */
  dial(servername: string): tls.TLSSocket {
    const { ready, authority } = this.#emulator;
    return tls.connect({ host: "127.0.0.1", port: ready.wsPort, servername, ca: authority.certificatePem });
  }

  /** One request over HTTPS, letter by letter. */
  async https(
    [line, ...headers]: readonly string[],
    body: string,
  ): Promise<{ readonly status: number; readonly head: string; readonly body: Answered["body"] }> {
    const socket = this.dial(dpsHost);
    let text = "";
    socket.on("data", (chunk) => {
      text += chunk;
    });
    const length = `Content-Length: ${Buffer.byteLength(body)}`;
    socket.write([`${line} HTTP/1.1`, ...headers, length, "Connection: close", "", body].join("\r\n"));
    await once(socket, "close");
    const end = text.indexOf("\r\n\r\n");
    return { status: Number(text.slice(9, 12)), head: text.slice(0, end + 4), body: bodyIn(text.slice(end + 4)) };
  }
}

/** How a request to DPS is published. */
export interface Asking {
  readonly rid?: string;
  readonly qos?: 0 | 1;
  readonly body?: string;
}

/** A device's conversation with DPS over MQTT. */
export class DpsTalk implements AsyncDisposable {
  readonly #connection: ForeignDevice;
  #operationId = "";

  constructor(connection: ForeignDevice) {
    this.#connection = connection;
  }

  get topics(): readonly string[] {
    return this.#connection.messages.all.map(({ topic }) => topic);
  }

  async register(body: string, { rid = "1", ...asking }: Asking = {}): Promise<Answered> {
    const answer = await this.#ask(`${registerPath}?$rid=${rid}`, { ...asking, body });
    this.#operationId = String(answer.body.operationId);
    return answer;
  }

  poll({ rid = "1", ...asking }: Asking = {}): Promise<Answered> {
    return this.#ask(`${pollPath}?$rid=${rid}&operationId=${this.#operationId}`, asking);
  }

  async #ask(topic: string, { qos = 1, body = "" }: Asking): Promise<Answered> {
    const { messages } = this.#connection;
    const answered = messages.nth(messages.all.length + 1);
    await this.#connection.publish(topic, body, qos);
    return takeApart(await answered);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#connection[Symbol.asyncDispose]();
  }
}

/** The JSON in a body, whether it comes in chunks or not. */
function bodyIn(text: string): Answered["body"] {
  return JSON.parse(text.slice(text.indexOf("{"), text.lastIndexOf("}") + 1)) as Answered["body"];
}
