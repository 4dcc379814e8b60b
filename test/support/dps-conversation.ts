import { Agent, request } from "node:https";
import type { Emulator, IssuedCertificate } from "../../src/emulator/index.ts";
import type { JsonObject } from "../../src/json.ts";
import { type Answered, poll, register } from "./emulated-dps.ts";
import { type Carrier, carriers, ForeignDevice, sasToken } from "./foreign-device.ts";

/** The device that converses. */
export const registrationId = "press-07";

const scope = "0ne00ABCDEF";
const dpsHost = "global.azure-devices-provisioning.net";

/** What a device proves itself with. */
export interface Identity {
  readonly key?: string;
  readonly certificate?: IssuedCertificate;
}

/** A device that talks to DPS in one way. */
export interface Conversation extends AsyncDisposable {
  register(): Promise<Answered>;
  poll(operationId: string): Promise<Answered>;
}

async function overMqtt(carrier: Carrier, emulator: Emulator, identity: Identity): Promise<Conversation> {
  const dial = { servername: dpsHost, ...(identity.certificate ? { identity: identity.certificate } : {}) };
  const username = `${scope}/registrations/${registrationId}/api-version=2019-03-31`;
  const password = tokenOf(identity);
  const options = { clientId: registrationId, username, ...(password === undefined ? {} : { password }) };
  const device = await ForeignDevice.connect(carrier(emulator, dial), options);
  await device.subscribe("$dps/registrations/res/#");
  return {
    register: () => register(device),
    poll: (operationId) => poll(device, operationId),
    [Symbol.asyncDispose]: () => device[Symbol.asyncDispose](),
  };
}

async function overHttps({ ready, authority }: Emulator, identity: Identity): Promise<Conversation> {
  const { certificate } = identity;
  const agent = new Agent({ keepAlive: true });
  const options = {
    agent,
    host: "127.0.0.1",
    port: ready.wsPort,
    servername: dpsHost,
    ca: authority.certificatePem,
    ...(certificate === undefined ? {} : { cert: certificate.chainPem, key: certificate.privateKeyPem }),
    headers: { "content-type": "application/json", ...headersOf(identity) },
  };
  const ask = (method: string, path: string, body: string): Promise<Answered> =>
    new Promise((resolve, reject) => {
      const whole = `/${scope}/registrations/${registrationId}${path}?api-version=2021-06-01`;
      // Node gives the body of a GET no length of itself.
      const headers = { ...options.headers, "content-length": Buffer.byteLength(body) };
      const sent = request({ ...options, headers, method, path: whole }, async (response) => {
        let text = "";
        for await (const chunk of response) text += chunk;
        const { statusCode = 0, headers } = response;
        resolve({ status: statusCode, retryAfter: headers["retry-after"], body: JSON.parse(text) as JsonObject });
      });
      sent.on("error", reject);
      sent.end(body);
    });
  return {
    register: () => ask("PUT", "/register", JSON.stringify({ registrationId })),
    poll: (operationId) => ask("GET", `/operations/${operationId}`, "{}"),
    [Symbol.asyncDispose]: async () => agent.destroy(),
  };
}

function tokenOf({ key: own }: Identity): string | undefined {
  const about = { expiresAtMs: Date.now() + 3_600_000, tail: "&skn=registration" };
  return own === undefined ? undefined : sasToken(`${scope}/registrations/${registrationId}`, own, about);
}

function headersOf(identity: Identity): { readonly authorization?: string } {
  const authorization = tokenOf(identity);
  return authorization === undefined ? {} : { authorization };
}

/** Opens a conversation over one transport. */
export type Transport = (emulator: Emulator, identity: Identity) => Promise<Conversation>;

/** Every transport that a registration can be made over, by the name that tests show. */
export const transports: Readonly<Record<string, Transport>> = {
  ...Object.fromEntries(
    Object.entries(carriers).map(([name, carrier]): [string, Transport] => [
      name,
      (emulator, identity) => overMqtt(carrier, emulator, identity),
    ]),
  ),
  HTTPS: overHttps,
};
