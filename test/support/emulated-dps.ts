import type { X509Certificate } from "node:crypto";
import { BlobStore } from "../../src/emulator/blob-store.ts";
import { Dps, type DpsOptions } from "../../src/emulator/dps/dps.ts";
import { EventLog } from "../../src/emulator/event-log.ts";
import { Hub } from "../../src/emulator/hub/hub.ts";
import { MqttLink } from "../../src/emulator/mqtt/link.ts";
import { seededRandom } from "../../src/emulator/randomness.ts";
import type { JsonObject } from "../../src/json.ts";
import { createLogger, type LogRecord } from "../../src/log.ts";
import { FakeClock } from "../../src/testing/fake-clock.ts";
import { ForeignDevice, type ForeignMessage, type ForeignOptions, inMemory, sasToken } from "./foreign-device.ts";

/** An answer of DPS, taken apart. */
export interface Answered {
  readonly status: number;
  readonly retryAfter: string | undefined;
  readonly body: JsonObject;
}

/** How a foreign device registers. */
export interface Registering extends ForeignOptions {
  readonly key?: string | undefined;
  readonly certificates?: readonly X509Certificate[];
  /** Body of the registration. Default: the registration id. */
  readonly body?: string;
}

const registerTopic = "$dps/registrations/PUT/iotdps-register/";
const pollTopic = "$dps/registrations/GET/iotdps-get-operationstatus/";

/** One emulated DPS with two hubs on a clock that stands still, reached in memory: no TLS, no ports. */
export class EmulatedDps {
  readonly clock = new FakeClock();
  readonly events = new EventLog(this.clock, 1000);
  readonly logged: LogRecord[] = [];
  readonly hubs: readonly Hub[];
  readonly dps: Dps;

  constructor(options: Partial<Pick<DpsOptions, "assigningPolls" | "retryAfterSeconds" | "quotas">> = {}) {
    const log = createLogger("trace", (record) => this.logged.push(record));
    const random = seededRandom(1);
    const shared = { clock: this.clock, random, log, events: this.events };
    const blobs = new BlobStore(random, () => "blobs.test");
    this.hubs = ["hub-a", "hub-b"].map(
      (name) => new Hub({ ...shared, name, hostName: `${name}.azure-devices.net`, recordLimit: 100, blobs }),
    );
    this.dps = new Dps({
      ...shared,
      idScope: "0ne00ABCDEF",
      hubs: () => this.hubs.map(({ name, registry, hostName }) => ({ name, registry, hostName, address: hostName })),
      assigningPolls: 1,
      retryAfterSeconds: 3,
      ...options,
    });
  }

  /** Connects and subscribes as `registrationId`; with a token when there is a key. */
  async connect(
    registrationId: string,
    { key, certificates = [], ...options }: Registering = {},
  ): Promise<ForeignDevice> {
    const peer = { transport: "mqtt", remoteAddress: "127.0.0.1", certificates } as const;
    const log = createLogger("trace", (record) => this.logged.push(record));
    const serve = inMemory((stream) => {
      new MqttLink({
        stream,
        peer,
        log,
        route: () => this.dps.service,
        onBreach: (rule, service, clientId) => this.events.add("rule.broken", { rule, service, clientId }),
      });
    });
    const device = await ForeignDevice.connect(serve, {
      clientId: registrationId,
      username: `0ne00ABCDEF/registrations/${registrationId}/api-version=2019-03-31`,
      ...(key === undefined ? {} : { password: this.token(registrationId, key) }),
      ...options,
    });
    await device.subscribe("$dps/registrations/res/#");
    return device;
  }

  token(registrationId: string, key: string, lifeMs = 3_600_000, idScope = "0ne00ABCDEF"): string {
    const expiresAtMs = this.clock.now() + lifeMs;
    return sasToken(`${idScope}/registrations/${registrationId}`, key, { expiresAtMs, tail: "&skn=registration" });
  }

  /** One registration from CONNECT to its end; resolves with every answer in order. */
  async register(registrationId: string, { body, ...options }: Registering = {}): Promise<readonly Answered[]> {
    await using device = await this.connect(registrationId, options);
    const answers = [await ask(device, `${registerTopic}?$rid=1`, body ?? JSON.stringify({ registrationId }))];
    while (answers.at(-1)?.status === 202) answers.push(await poll(device, String(answers.at(-1)?.body.operationId)));
    return answers;
  }

  /** As {@link register}; resolves with the last answer only. */
  async outcome(registrationId: string, options: Registering = {}): Promise<Answered> {
    return (await this.register(registrationId, options)).at(-1) as Answered;
  }
}

/** Sends a registration. */
export function register(device: ForeignDevice, body = "", requestId = "1"): Promise<Answered> {
  return ask(device, `${registerTopic}?$rid=${requestId}`, body);
}

/** Asks how a registration is going. */
export function poll(device: ForeignDevice, operationId: string, body = " "): Promise<Answered> {
  return ask(device, `${pollTopic}?$rid=1&operationId=${operationId}`, body);
}

async function ask(device: ForeignDevice, topic: string, body: string): Promise<Answered> {
  return takeApart(await device.ask(topic, body));
}

/** Reads an answer. Throws when its topic has not the form that clients look for. */
export function takeApart({ topic, payload }: ForeignMessage): Answered {
  const match = /^\$dps\/registrations\/res\/(\d{3})\/\?\$rid=[^&]+(?:&retry-after=(\d+))?$/.exec(topic);
  if (match === null) throw new Error(`not an answer of DPS: ${topic}`);
  return { status: Number(match[1]), retryAfter: match[2], body: JSON.parse(payload) as JsonObject };
}
